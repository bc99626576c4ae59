package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"organizations-api/shared/organization"
	"organizations-api/shared/plainjson"
)

// response is a whole response. It is complete before its first byte is written, so an error can still replace it.
type response struct {
	status int
	etag   string
	body   []byte // JSON; nil if the status has no body
}

func (r response) write(w http.ResponseWriter) {
	if r.body != nil {
		w.Header()["Content-Type"] = jsonContentType
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // it fails if the client is gone, and then nobody is left to tell
}

// Representation is the JSON shape of the contract's OrganizationModelResponse. Every property is always present, and
// null if it is not set.
type Representation struct {
	ID                 string          `json:"organization_id"`
	Name               string          `json:"organization_name"`
	LogoURL            *string         `json:"logo_url"`
	Tier               string          `json:"account_type"`
	Credits            int64           `json:"credit_count"`
	Metadata           json.RawMessage `json:"metadata"`
	BillingEmail       *string         `json:"billing_email"`
	NotificationsEmail *string         `json:"notifications_email"`
	RateLimits         RateLimits      `json:"rate_limits"`
	AutoBilling        bool            `json:"auto_billing_enabled"`
	BillingCycleStart  int             `json:"billing_cycle_start"`
	CurrentMonthUsage  int64           `json:"current_month_usage"`
	CreatedAt          string          `json:"created_at"`
	UpdatedAt          string          `json:"updated_at"`
	Users              json.RawMessage `json:"users"`
	AuthProviderOrgID  *string         `json:"auth_provider_org_id"`
	Credentials        json.RawMessage `json:"default_llm_credentials"`
	APIURL             *string         `json:"api_url"`
	NSFWCheck          bool            `json:"nsfw_check_enabled"`
	NSFWFailClosed     bool            `json:"nsfw_fail_closed"`
}

// RateLimits is the JSON shape of the contract's BaseRateLimits: the effective limits, in requests a minute.
type RateLimits struct {
	Metadata int `json:"metadata"`
	Data     int `json:"data"`
	Search   int `json:"search"`
	Upload   int `json:"upload"`
	Compute  int `json:"compute"`
}

// Represent returns the organization as callers see it, without its internal identifier.
func Represent(o organization.Organization) Representation {
	r := Representation{
		ID:                 string(o.ID),
		Name:               o.Name,
		LogoURL:            o.LogoURL,
		Tier:               string(o.Tier),
		Credits:            o.Credits,
		Metadata:           json.RawMessage(o.Metadata.Text()),
		BillingEmail:       o.BillingEmail,
		NotificationsEmail: o.NotificationsEmail,
		RateLimits:         RateLimits(o.Limits()),
		AutoBilling:        o.AutoBilling,
		BillingCycleStart:  o.BillingCycleStart,
		CurrentMonthUsage:  o.CurrentMonthUsage,
		CreatedAt:          organization.FormatTime(o.CreatedAt),
		UpdatedAt:          organization.FormatTime(o.UpdatedAt),
		AuthProviderOrgID:  o.AuthProviderOrgID,
		Credentials:        json.RawMessage(o.Credentials.Text()),
		APIURL:             o.APIURL,
		NSFWCheck:          o.NSFWCheck,
		NSFWFailClosed:     o.NSFWFailClosed,
	}
	if o.Users != nil {
		r.Users = json.RawMessage(*o.Users)
	}
	return r
}

// organizationResponse returns a 200 with the organization and its ETag. The ETag is a hash of the body, so equal ETags
// mean equal records.
func organizationResponse(o organization.Organization) (response, error) {
	body, err := plainjson.Marshal(Represent(o))
	if err != nil {
		return response{}, fmt.Errorf("%s: %w", o.ID, err)
	}
	return response{status: http.StatusOK, etag: entityTagOf(body), body: body}, nil
}

// entityTagOf returns half of the body's SHA-256 as an entity tag.
func entityTagOf(body []byte) string {
	const half = sha256.Size / 2
	sum := sha256.Sum256(body)
	var tag [2*half + 2]byte
	tag[0], tag[len(tag)-1] = '"', '"'
	hex.Encode(tag[1:], sum[:half])
	return string(tag[:])
}
