// Command ogen reads the organization of an API key and renames it, by the client that ogen makes of the contract. What
// ogen generates is in package api, which is made anew for each run and not kept.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"organizations-api/docs/examples/tools/ogen/api"
)

// holder gives the client the API key.
type holder string

func (h holder) ApiKey(context.Context, api.OperationName) (api.ApiKey, error) {
	return api.ApiKey{Token: string(h)}, nil
}

func main() {
	if err := rename(context.Background(), os.Getenv("ORGANIZATIONS_URL"), os.Getenv("ORGANIZATIONS_KEY")); err != nil {
		log.Fatal(err)
	}
}

func rename(ctx context.Context, url, key string) error {
	client, err := api.NewClient(url, holder(key))
	if err != nil {
		return err
	}
	current, err := client.GetOrganizationV1OrganizationsGet(ctx, api.GetOrganizationV1OrganizationsGetParams{})
	if err != nil {
		return fmt.Errorf("getting the organization: %w", err)
	}
	found, ok := current.(*api.OrganizationModelResponseHeaders)
	if !ok {
		return fmt.Errorf("getting the organization: %T", current)
	}
	fmt.Println("200 it is", found.Response.OrganizationName)
	change := func(body api.OrganizationUpdateRequest) (api.UpdateOrganizationV1OrganizationsPatchRes, error) {
		return client.UpdateOrganizationV1OrganizationsPatch(ctx, &body, api.UpdateOrganizationV1OrganizationsPatchParams{
			IfMatch: api.NewOptString("*"),
		})
	}
	answer, err := change(api.OrganizationUpdateRequest{
		OrganizationName: api.NewOptNilString("Renamed by ogen"),
		RateLimits:       api.NewOptNilRateLimitsUpdate(api.RateLimitsUpdate{Search: api.NewOptInt(120)}),
	})
	if err != nil {
		return fmt.Errorf("changing the organization: %w", err)
	}
	changed, ok := answer.(*api.OrganizationModelResponseHeaders)
	if !ok {
		return fmt.Errorf("changing the organization: %T", answer)
	}
	fmt.Println("200 it is", changed.Response.OrganizationName, "with", changed.Response.RateLimits.Search.Value, "searches")
	answer, err = change(api.OrganizationUpdateRequest{BillingEmail: api.NewOptNilString("ops@corp.local")})
	if err != nil {
		return fmt.Errorf("an address that will not do: %w", err)
	}
	if _, ok := answer.(*api.ValidationFailedHeaders); !ok {
		return fmt.Errorf("an address that will not do: %T", answer)
	}
	fmt.Println("422 as it should")
	return nil
}
