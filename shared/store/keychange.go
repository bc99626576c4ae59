package store

import "organizations-api/shared/apikey"

// KeyChange is a change of one key, and the key that takes its place where there is one.
type KeyChange struct {
	Before apikey.Record  // as it was read; the change takes effect only while the key's expiry, revocation and successor are these
	After  apikey.Record  // Before with another ExpiresAt or ReplacedBy, or with both
	New    *apikey.Record // added with the change; nil: none
}
