package seed

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"organizations-api/cmd/orgs/internal/admin"
	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// faker makes up organizations. The same seed makes the same organizations, and each does not depend on the others.
// Only secrets differ each time: they come from the operating system. Keys are made with the secret of the store.
type faker struct {
	seed   uint64
	secret apikey.Secret
}

// fake is a made-up organization, with one of its admin keys in plain text.
type fake struct {
	export store.Export
	admin  apikey.Key
}

const day = 24 * time.Hour

// The organizations were created in these years.
var (
	fakeBegin = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	fakeYears = 3 * 365 * day
)

// organization returns the nth organization.
func (f faker) organization(n uint64) fake {
	random := rand.New(rand.NewPCG(f.seed, n))
	at := fakeBegin.Add(time.Duration(random.Int64N(int64(fakeYears))))
	o := fakeRecord(random, at)
	adminKey := admin.NewKey(f.secret, o.ID, apikey.Live, apikey.Admin, at, nil)
	keys := []apikey.Record{adminKey.Record}
	entries := []store.Entry{admin.CreatedEntry(o, adminKey, at)}
	for random.IntN(3) == 0 { // most have one key, hardly any more than four
		at = at.Add(time.Duration(random.Int64N(int64(30*day))) + time.Second)
		key := f.key(random, o.ID, at)
		keys, entries = append(keys, key.Record), append(entries, admin.IssuedEntry(o, key, at))
	}
	return fake{store.Export{Organization: o, Keys: keys, Trail: store.Entries(entries...)}, adminKey.Key}
}

func fakeRecord(random *rand.Rand, at time.Time) organization.Organization {
	name := strings.Join([]string{pick(random, firstWords), pick(random, secondWords), pick(random, thirdWords)}, " ")
	domain := strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example"
	o := organization.New(name, fakeTier(random), nil, at)
	o.ID = fakeID(random)
	o.BillingCycleStart = 1 + random.IntN(28)
	o.CurrentMonthUsage = random.Int64N(o.Credits + 1)
	o.AutoBilling = random.IntN(4) == 0
	if random.IntN(5) > 0 {
		o.BillingEmail = new("billing@" + domain)
	}
	if random.IntN(2) == 0 {
		o.NotificationsEmail = new("ops+alerts@" + domain)
	}
	if random.IntN(3) == 0 {
		o.LogoURL = new("https://cdn." + domain + "/logo.svg")
	}
	if o.Tier == organization.Enterprise || random.IntN(20) == 0 {
		o.Override = organization.RateLimits{Metadata: 100 * (1 + random.IntN(50)), Search: 100 * (1 + random.IntN(50))}
	}
	o.Metadata = fakeMetadata(random)
	o.NSFWCheck = random.IntN(3) == 0
	o.NSFWFailClosed = o.NSFWCheck && random.IntN(2) == 0
	return o
}

// fakeID is organization.NewID from the given source of random numbers.
func fakeID(random *rand.Rand) organization.ID {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	part := []byte(organization.NewID().PublicPart())
	for i := range part {
		part[i] = alphabet[random.IntN(len(alphabet))]
	}
	id, err := organization.IDFromPublicPart(string(part))
	if err != nil {
		panic(err) // the alphabet is that of identifiers
	}
	return id
}

// fakeTier returns free for seven of ten. The larger a tier, the rarer it is.
func fakeTier(random *rand.Rand) organization.Tier {
	switch n := random.IntN(100); {
	case n < 70:
		return organization.Free
	case n < 90:
		return organization.Pro
	case n < 98:
		return organization.Team
	default:
		return organization.Enterprise
	}
}

// fakeMetadata returns no members for four of ten organizations, up to five for five of ten, and some kilobytes for the
// rest.
func fakeMetadata(random *rand.Rand) organization.Object {
	members := 0
	switch n := random.IntN(100); {
	case n < 40:
		return ""
	case n < 90:
		members = 1 + random.IntN(5)
	case n < 99:
		members = 20 + random.IntN(30)
	default:
		members = 100 + random.IntN(150)
	}
	texts := make([]string, 0, members)
	for i := range members {
		texts = append(texts, fmt.Sprintf(`"%s_%d":{"region":"%s","seats":%d,"note":"%s %s"}`,
			strings.ToLower(pick(random, thirdWords)), i, pick(random, regions), random.IntN(500),
			pick(random, firstWords), pick(random, secondWords)))
	}
	return organization.Object("{" + strings.Join(texts, ",") + "}")
}

// key returns a key with any permission. Some are test keys, and some have expired.
func (f faker) key(random *rand.Rand, id organization.ID, at time.Time) admin.IssuedKey {
	mode := apikey.Live
	if random.IntN(4) == 0 {
		mode = apikey.Test
	}
	var expires *time.Time
	if random.IntN(3) == 0 {
		expires = new(at.Add(time.Duration(1+random.IntN(2000)) * day))
	}
	return admin.NewKey(f.secret, id, mode, apikey.Read+apikey.Permission(random.IntN(int(apikey.Admin))), at, expires)
}

func pick(random *rand.Rand, from []string) string { return from[random.IntN(len(from))] }

var (
	firstWords = []string{
		"Amber", "Arctic", "Bright", "Cedar", "Clear", "Cobalt", "Copper", "Distant", "Eastern", "Fjord", "Golden", "Granite",
		"Harbor", "Iron", "Juniper", "Lunar", "Maple", "Misty", "Northern", "Olive", "Pacific", "Quiet", "Rapid", "Silver",
		"Solar", "Stone", "Summit", "Swift", "Tidal", "Velvet", "Western", "Willow",
	}
	secondWords = []string{
		"Anchor", "Arrow", "Beacon", "Bridge", "Brook", "Compass", "Crane", "Falcon", "Field", "Forge", "Fox", "Garden",
		"Grove", "Heron", "Lantern", "Ledger", "Mill", "Otter", "Owl", "Peak", "Pier", "Quarry", "River", "Signal",
		"Sparrow", "Spruce", "Tower", "Trail", "Valley", "Vista", "Wharf", "Window",
	}
	thirdWords = []string{
		"Analytics", "Archive", "Broadcast", "Design", "Energy", "Films", "Foods", "Foundation", "Health", "Imaging", "Insurance",
		"Labs", "Learning", "Logistics", "Media", "Motors", "Music", "News", "Outdoors", "Pictures", "Press", "Radio",
		"Research", "Retail", "Robotics", "Sports", "Studios", "Systems", "Textiles", "Travel", "Video", "Works",
	}
	regions = []string{"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "ap-northeast-1"}
)
