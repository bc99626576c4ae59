package api

import (
	"context"
	"fmt"

	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// tryUpdate applies the patch to the record as it was read. An error of the store's kind Conflict or NotFound says that
// it is not so any more.
func (s *Service) tryUpdate(
	ctx context.Context, c *call, patch organization.Patch, conditions preconditions,
) (response, error) {
	before := c.found.Organization
	current, err := organizationResponse(before)
	if err != nil {
		return response{}, err
	}
	if err := conditions.forChange(c, current); err != nil {
		return response{}, err
	}
	after, changes := before.Apply(patch, s.now())
	if len(changes) == 0 {
		c.header.Set("ETag", current.etag)
		return current, nil
	}
	out, err := organizationResponse(after)
	if err != nil {
		return response{}, err
	}
	err = s.records.Update(ctx, store.Update{
		Before: before,
		After:  after,
		Audit: store.Entry{
			ID:        store.NewEntryID(after.UpdatedAt),
			Action:    store.Updated,
			Actor:     c.found.Key.ID,
			RequestID: c.requestID,
			Version:   after.Version,
			Changes:   changes,
		},
	})
	if err != nil {
		return response{}, c.updateError(fmt.Errorf("updating the organization: %w", err))
	}
	c.header.Set("ETag", out.etag)
	return out, nil
}

// updateError is what the caller learns where the store did not confirm a change. Only a change that the store knows to
// have refused was not made for sure.
func (c *call) updateError(err error) error {
	const doubt = " It may have taken effect: read the organization before trying again."
	switch store.KindOf(err) {
	case store.Conflict, store.NotFound:
		return err
	case store.Unknown:
		return &Error{Kind: Internal, Message: "The service failed to make the change." + doubt, Cause: err}
	default:
		return c.storeError(err, "The store did not confirm the change."+doubt)
	}
}
