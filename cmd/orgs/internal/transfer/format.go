// Package transfer moves whole organizations between stores through a file. A backup writes all organizations of a
// store into a new file. A restore puts the organizations of a file into a store. The two stores may have different
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
	"time"
	"unicode/utf8"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/plainjson"
	"organizations-api/shared/store"
	"organizations-api/shared/strictjson"
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
// once. Give it omitempty if it is seldom set: earlier versions of the command refuse a file with a field that they do
// not know. A field that is renamed changes the format: testdata/format2.backup fails to restore then.
type line struct {
	Header       *header  `json:"orgs_backup,omitempty"`
	Organization *record  `json:"organization,omitempty"`
	Entry        *entry   `json:"entry,omitempty"`       // of the organization before it; the oldest entry comes first
	KeySecrets   []string `json:"key_secrets,omitempty"` // in the order of the store
	Trailer      *trailer `json:"end,omitempty"`

	export  store.Export   // what decode made of Organization; without the trail
	secrets apikey.Secrets // what decode made of KeySecrets
}

// entryStart is the beginning of every line of an entry. No other line begins with it.
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
	Keys       list[key]
}

// key is the record of a key, with the fields replaced as in record.
type key struct {
	apikey.Record
	Hash       string // in hexadecimal
	Permission string
}

// entry is an audit entry, with a bound to its changes.
type entry struct {
	store.Entry
	Changes list[organization.Change]
}

func newEntry(e store.Entry) *entry { return &entry{e, e.Changes} }

func (e entry) entry() store.Entry {
	e.Entry.Changes = e.Changes
	return e.Entry
}

// maxList is the largest number of elements in an array: the keys of an organization. An entry has fewer changes than
// that, as it has one for each field and key.
const maxList = apikey.MaxPerOrganization

var errLongList = fmt.Errorf("it has a list of more than %d elements, such as the keys of an organization", maxList)

// list is a JSON array of at most maxList elements. Without that limit, a line of empty elements could take a hundred
// times its length in memory.
type list[T any] []T

// UnmarshalJSON returns an error for members that it does not know, as decode does.
func (l *list[T]) UnmarshalJSON(text []byte) error {
	*l = nil
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	switch token, err := decoder.Token(); {
	case err != nil || token == nil: // null
		return err
	case token != json.Delim('['):
		return errNoLine
	}
	*l = list[T]{}
	for decoder.More() {
		if len(*l) == maxList {
			return errLongList
		}
		var element T
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		*l = append(*l, element)
	}
	return nil
}

func newRecord(o organization.Organization, keys []apikey.Record) *record {
	r := &record{Organization: o, InternalID: o.InternalID.Reveal(), Keys: make(list[key], 0, len(keys))}
	for _, k := range keys {
		r.Keys = append(r.Keys, key{k, k.Hash.Hex(), k.Permission.String()})
	}
	return r
}

// export returns the organization without its trail. The error says what is wrong with it, and does not quote it.
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

// The checks are those that every write passes, so that what is restored can be read and changed.

// These bounds are for texts that no caller sets, but that are shown or logged.
const (
	maxIdentifier = 128
	maxLimit      = organization.MaxLimit
)

func checkOrganization(o organization.Organization) error {
	_, idErr := organization.ParseID(string(o.ID))
	_, tierErr := organization.ParseTier(string(o.Tier))
	internal := o.InternalID.Reveal()
	return cmp.Or(
		idErr,
		organization.CheckName(o.Name),
		tierErr,
		checkTimes(&o.CreatedAt, &o.UpdatedAt, o.DeletedAt),
		refuse(internal == "" || len(internal) > maxIdentifier, "an organization must have an internal identifier"),
		checkEmail("billing", o.BillingEmail),
		checkEmail("notifications", o.NotificationsEmail),
		refuse(!isURLText(o.LogoURL) || !isURLText(o.APIURL) || !isURLText(o.AuthProviderOrgID),
			fmt.Sprintf("a URL, and the identifier of an authentication provider, must have 1 to %d characters", organization.MaxURLLength)),
		refuse(!areLimits(o.Override), fmt.Sprintf("a rate limit must be %d to %d, or 0 for none", organization.MinLimit, maxLimit)),
		refuse(min(o.Credits, o.CurrentMonthUsage, o.Version) < 0, "credits, their use and the version must not be negative"),
		refuse(!isObject(o.Metadata.Text()), "metadata must be a JSON object of at most 64 KiB and 32 levels"),
		refuse(!isObjectOfStrings(o.Credentials.Text()), "credentials must be an object of strings, of at most 64 KiB"),
		refuse(o.Users != nil && !isListOfObjects(*o.Users), "users must be a JSON array of objects, of at most 64 KiB and 32 levels"),
	)
}

func checkEmail(which string, address *string) error {
	if address == nil {
		return nil
	}
	if err := organization.CheckEmail(*address); err != nil {
		return fmt.Errorf("the %s email is not an address: %w", which, err)
	}
	return nil
}

func isURLText(s *string) bool {
	return s == nil || *s != "" && utf8.RuneCountInString(*s) <= organization.MaxURLLength
}

func areLimits(l organization.RateLimits) bool {
	return min(l.Metadata, l.Data, l.Search, l.Upload, l.Compute) >= 0 && max(l.Metadata, l.Data, l.Search, l.Upload, l.Compute) <= maxLimit
}

func checkKeys(keys []apikey.Record) error {
	if len(keys) > apikey.MaxPerOrganization {
		return fmt.Errorf("an organization can have %d keys and no more", apikey.MaxPerOrganization)
	}
	ids, hashes := make(map[string]bool), make(map[apikey.Hash]bool)
	for _, k := range keys {
		if k.ID == "" || len(k.ID) > maxIdentifier || len(k.ReplacedBy) > maxIdentifier || ids[k.ID] || hashes[k.Hash] {
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
	if max(len(e.ID), len(e.Action), len(e.Actor), len(e.RequestID)) > maxIdentifier || e.Version < 0 {
		return fmt.Errorf("an entry's action, actor and request must have at most %d bytes, and its version must not be negative", maxIdentifier)
	}
	if e.ChangeID != "" {
		if err := store.CheckChangeID(e.ChangeID); err != nil {
			return err
		}
	}
	for _, c := range e.Changes {
		if !json.Valid([]byte(c.Before)) || !json.Valid([]byte(c.After)) {
			return errors.New("a change must have JSON before and after")
		}
	}
	return nil
}

// checkTimes checks that the times have the precision of a store. It ignores nil.
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

// parseBounded reads JSON by the rules and within the bounds of a caller's JSON.
func parseBounded(text string, kind strictjson.Kind) (strictjson.Value, bool) {
	if len(text) > organization.MaxObjectSize {
		return strictjson.Value{}, false
	}
	v, err := strictjson.Parse([]byte(text))
	return v, err == nil && v.Kind() == kind && v.Depth() <= organization.MaxObjectDepth
}

func isObject(text string) bool {
	_, ok := parseBounded(text, strictjson.Object)
	return ok
}

func isObjectOfStrings(text string) bool {
	v, ok := parseBounded(text, strictjson.Object)
	for _, value := range v.Members() {
		ok = ok && value.Kind() == strictjson.String
	}
	return ok
}

func isListOfObjects(text string) bool {
	v, ok := parseBounded(text, strictjson.Array)
	for _, element := range v.Elements() {
		ok = ok && element.Kind() == strictjson.Object
	}
	return ok
}

// encodeOrganization returns the line of an organization. It returns an error if a restore would refuse the line, or if
// something would be lost.
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

// encodeEntry returns the line of an entry. It has the errors of encodeOrganization.
func encodeEntry(e store.Entry) ([]byte, error) {
	text, back, err := encode(line{Entry: newEntry(e)})
	if err == nil && !reflect.DeepEqual(e, back.Entry.entry()) {
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

// decode reads a line and checks its content. It returns an error for members that it does not know, because they would
// be lost. The error quotes nothing, because the text may be a secret.
func decode(text []byte) (line, error) {
	if len(text) > maxLine {
		return line{}, fmt.Errorf("it is longer than %d MiB", maxLine>>20)
	}
	var l line
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&l)
	if errors.Is(err, errLongList) {
		return line{}, errLongList
	}
	if err != nil || !utf8.Valid(text) {
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
	switch {
	case members != 1 || (l.Entry != nil) != bytes.HasPrefix(text, []byte(entryStart)):
		err = errNoLine
	case l.Organization != nil:
		l.export, err = l.Organization.export()
	case l.Entry != nil:
		err = checkEntry(l.Entry.entry())
	case l.KeySecrets != nil:
		l.secrets, err = readSecrets(l.KeySecrets)
	}
	return l, err
}

// readSecrets returns the secrets from their texts. There must be at least one, and no text may come twice.
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

// secretsLine returns the line that readSecrets reads.
func secretsLine(secrets apikey.Secrets) line {
	var l line
	for _, secret := range secrets {
		l.KeySecrets = append(l.KeySecrets, secret.Reveal())
	}
	return l
}
