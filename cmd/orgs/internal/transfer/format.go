// Package transfer moves whole organizations between stores through a file: a backup writes all of a store's
// organizations into a new file, a restore puts those of a file into a store. The two stores may have different
// engines.
//
// The file is JSON lines: a header, the organizations, each followed by its audit entries, the secrets with which their
// keys were made, and a trailer with the number of organizations and entries and the SHA-256 of everything before it.
// It holds internal identifiers, hashes of keys, and credentials in plain text, so only its owner may read it.
//
// It must import no engine, nothing that serves requests, and nothing of the command line.
package transfer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/plainjson"
	"organizations-api/shared/store"
)

// format is the version of the file's format. Files of another version are refused.
const format = 2

// maxLine bounds a line, and with it the memory that a file can make a restore use. An organization at every bound (100
// keys, 64 KiB each of metadata and credentials) takes less than a tenth of it. So does an item of DynamoDB (400 KB)
// even where JSON escapes each of its bytes with six.
const maxLine = 4 << 20

// line is one line of the file. Exactly one member is set. The text begins with the member's name, without white space.
//
// Records and entries are encoded as the domain's own structs, so a field that is added there is part of a backup at
// once. A field that is renamed changes the format: testdata/format2.backup fails to restore then.
type line struct {
	Header       *header      `json:"orgs_backup,omitempty"`
	Organization *record      `json:"organization,omitempty"`
	Entry        *store.Entry `json:"entry,omitempty"`       // of the organization before it; the oldest entry comes first
	KeySecrets   []string     `json:"key_secrets,omitempty"` // in the order of the store
	Trailer      *trailer     `json:"end,omitempty"`

	export  store.Export   // what decode made of Organization; without the trail
	secrets apikey.Secrets // what decode made of KeySecrets
}

// entryStart is how the line of an entry begins, and no other.
const entryStart = `{"entry":`

type header struct {
	Format int       `json:"format"`
	From   string    `json:"from"` // the store, for people to read
	At     time.Time `json:"created_at"`
}

// trailer describes everything before it.
type trailer struct {
	Organizations int64  `json:"organizations"`
	Entries       int64  `json:"entries"`
	SHA256        string `json:"sha256"`
}

// record is an organization with its keys. Its own fields replace those of the embedded struct that encode as
// [redacted] or as a number without a meaning.
type record struct {
	organization.Organization
	InternalID string
	Keys       []key
}

// key is the record of a key, with the fields replaced as in record.
type key struct {
	apikey.Record
	Hash       string // in hexadecimal
	Permission string
}

func newRecord(o organization.Organization, keys []apikey.Record) *record {
	r := &record{Organization: o, InternalID: o.InternalID.Reveal(), Keys: make([]key, 0, len(keys))}
	for _, k := range keys {
		r.Keys = append(r.Keys, key{k, k.Hash.Hex(), k.Permission.String()})
	}
	return r
}

// export returns the organization without its trail. The error says what is wrong with it and quotes nothing.
func (r *record) export() (store.Export, error) {
	o := r.Organization
	o.InternalID = organization.StoredInternalID(r.InternalID)
	if err := checkOrganization(o); err != nil {
		return store.Export{}, err
	}
	e := store.Export{Organization: o, Trail: store.Entries()}
	for _, k := range r.Keys {
		parsed, err := k.parse()
		if err != nil {
			return store.Export{}, err
		}
		e.Keys = append(e.Keys, parsed)
	}
	return e, checkKeys(e.Keys)
}

func (k key) parse() (apikey.Record, error) {
	r := k.Record
	var hashErr, permissionErr error
	r.Hash, hashErr = apikey.ParseHash(k.Hash)
	r.Permission, permissionErr = apikey.ParsePermission(k.Permission)
	_, modeErr := apikey.ParseMode(string(k.Mode))
	return r, cmp.Or(hashErr, permissionErr, modeErr, checkTimes(&r.CreatedAt, r.ExpiresAt, r.RevokedAt))
}

// The checks refuse what the service or the command could not read once it is restored. They are not stricter: a backup
// keeps what was stored before a rule, such as an email address that is refused today.

func checkOrganization(o organization.Organization) error {
	_, idErr := organization.ParseID(string(o.ID))
	_, tierErr := organization.ParseTier(string(o.Tier))
	return cmp.Or(
		idErr,
		organization.CheckName(o.Name),
		tierErr,
		checkTimes(&o.CreatedAt, &o.UpdatedAt, o.DeletedAt),
		refuse(o.InternalID.Reveal() == "", "an organization must have an internal identifier"),
		refuse(negative(o.Override), "a rate limit must not be negative"),
		refuse(!isObject(o.Metadata.Text()), "metadata must be a JSON object of at most 64 KiB"),
		refuse(!isObjectOfStrings(o.Credentials.Text()), "credentials must be an object of strings, of at most 64 KiB"),
		refuse(o.Users != nil && !isListOfObjects(*o.Users), "users must be a JSON array of objects"),
	)
}

func checkKeys(keys []apikey.Record) error {
	if len(keys) > apikey.MaxPerOrganization {
		return fmt.Errorf("an organization can have %d keys and no more", apikey.MaxPerOrganization)
	}
	ids, hashes := make(map[string]bool), make(map[apikey.Hash]bool)
	for _, k := range keys {
		if k.ID == "" || ids[k.ID] || hashes[k.Hash] {
			return errors.New("each key must have an identifier and a hash of its own")
		}
		ids[k.ID], hashes[k.Hash] = true, true
	}
	return nil
}

func checkEntry(e store.Entry) error {
	if e.At().IsZero() {
		return errors.New("an entry's identifier must begin with a time")
	}
	for _, c := range e.Changes {
		if !json.Valid([]byte(c.Before)) || !json.Valid([]byte(c.After)) {
			return errors.New("a change must have JSON before and after")
		}
	}
	return nil
}

// checkTimes ignores nil.
func checkTimes(times ...*time.Time) error {
	for _, t := range times {
		if t != nil && *t != organization.Timestamp(*t) {
			return errors.New("a time must be in UTC and whole microseconds")
		}
	}
	return nil
}

func refuse(wrong bool, rule string) error {
	if wrong {
		return errors.New(rule)
	}
	return nil
}

func negative(o organization.RateLimits) bool {
	return min(o.Metadata, o.Data, o.Search, o.Upload, o.Compute) < 0
}

// isObject reports whether the text is a JSON object within the bound of size.
func isObject(text string) bool {
	return strings.HasPrefix(text, "{") && len(text) <= organization.MaxObjectSize && json.Valid([]byte(text))
}

func isObjectOfStrings(text string) bool {
	var members map[string]json.RawMessage
	if !isObject(text) || json.Unmarshal([]byte(text), &members) != nil {
		return false
	}
	for _, value := range members {
		if value[0] != '"' {
			return false
		}
	}
	return true
}

func isListOfObjects(text string) bool {
	var list []map[string]json.RawMessage
	err := json.Unmarshal([]byte(text), &list)
	for _, object := range list {
		if object == nil {
			return false
		}
	}
	return err == nil && list != nil
}

// encodeOrganization returns the line of an organization. It refuses what a restore would refuse, and what would be
// lost.
func encodeOrganization(e store.Export) ([]byte, error) {
	text, back, err := encode(line{Organization: newRecord(e.Organization, e.Keys)})
	if err != nil {
		return nil, err
	}
	e.Trail = store.Entries()
	same, err := store.Same(e, back.export)
	if err == nil && !same {
		err = errLoss
	}
	return text, err
}

// encodeEntry returns the line of an entry. It refuses the same as encodeOrganization.
func encodeEntry(e store.Entry) ([]byte, error) {
	text, back, err := encode(line{Entry: &e})
	if err == nil && !reflect.DeepEqual(e, *back.Entry) {
		err = errLoss
	}
	return text, err
}

var errLoss = errors.New("it has something that the file would lose")

// encode returns the text of a line, and the line as it is read back.
func encode(l line) ([]byte, line, error) {
	text, err := plainjson.Marshal(l)
	if err != nil {
		return nil, line{}, err
	}
	text = append(text, '\n')
	back, err := decode(text)
	return text, back, err
}

var errNoLine = errors.New("it is not a line of a backup, or of a newer version")

// decode reads a line and checks what is in it. It refuses members that it does not know, as they would be lost. The
// error quotes nothing: the text may be a secret.
func decode(text []byte) (line, error) {
	if len(text) > maxLine {
		return line{}, fmt.Errorf("it is longer than %d MiB", maxLine>>20)
	}
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil || !utf8.Valid(text) {
		return line{}, errNoLine
	}
	if _, err := decoder.Token(); err != io.EOF {
		return line{}, errNoLine
	}
	members := 0
	for _, set := range []bool{l.Header != nil, l.Organization != nil, l.Entry != nil, l.KeySecrets != nil, l.Trailer != nil} {
		if set {
			members++
		}
	}
	var err error
	switch {
	case members != 1 || (l.Entry != nil) != bytes.HasPrefix(text, []byte(entryStart)):
		err = errNoLine
	case l.Organization != nil:
		l.export, err = l.Organization.export()
	case l.Entry != nil:
		err = checkEntry(*l.Entry)
	case l.KeySecrets != nil:
		l.secrets, err = readSecrets(l.KeySecrets)
	}
	return l, err
}

// readSecrets returns the secrets with the texts. There is at least one, and no text comes twice.
func readSecrets(texts []string) (apikey.Secrets, error) {
	var secrets apikey.Secrets
	for _, text := range texts {
		secret, err := apikey.ParseSecret(text)
		if err != nil {
			return nil, err
		}
		secrets = secrets.With(apikey.Secrets{secret})
	}
	if len(secrets) == 0 || len(secrets) < len(texts) {
		return nil, errNoLine
	}
	return secrets, nil
}

// secretsLine is the inverse of readSecrets.
func secretsLine(secrets apikey.Secrets) line {
	var l line
	for _, secret := range secrets {
		l.KeySecrets = append(l.KeySecrets, secret.Reveal())
	}
	return l
}
