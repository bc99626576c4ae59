package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"organizations-api/shared/apikey"
	"organizations-api/shared/organization"
	"organizations-api/shared/store"
)

// fiction makes up organizations. The same seed makes the same ones, each independently of the others; only what is secret
// comes from the operating system's source each time.
type fiction struct{ seed uint64 }

// made is one of them, with a key in plain text that may do everything.
type made struct {
	export store.Export
	admin  apikey.Key
}

// The years in which they were created.
var (
	fictionBegins = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	fictionLasts  = 3 * 365 * day
)

// organization returns the nth.
func (f fiction) organization(n uint64) made {
	random := rand.New(rand.NewPCG(f.seed, n))
	at := fictionBegins.Add(time.Duration(random.Int64N(int64(fictionLasts))))
	o := fictionalRecord(random, at)
	admin := newKey(o.ID, apikey.Live, apikey.Admin, at, nil)
	keys := []apikey.Record{admin.record}
	trail := []store.Entry{creation(o, admin, at)}
	for random.IntN(3) == 0 { // most have one key, hardly any more than four
		at = at.Add(time.Duration(random.Int64N(int64(30*day))) + time.Second)
		key := fictionalKey(random, o.ID, at)
		keys, trail = append(keys, key.record), append(trail, issue(o, key, at))
	}
	return made{store.Export{Organization: o, Keys: keys, Trail: store.Entries(trail...)}, admin.key}
}

func fictionalRecord(random *rand.Rand, at time.Time) organization.Organization {
	name := strings.Join([]string{pick(random, fictionFirst), pick(random, fictionSecond), pick(random, fictionThird)}, " ")
	domain := strings.ToLower(strings.ReplaceAll(name, " ", "-")) + ".example"
	o := organization.New(name, fictionalTier(random), nil, at)
	o.ID = fictionalID(random)
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
	o.Metadata = fictionalMetadata(random)
	return o
}

// fictionalID is organization.NewID from another source.
func fictionalID(random *rand.Rand) organization.ID {
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

// fictionalTier returns free for seven of ten, and the larger the rarer.
func fictionalTier(random *rand.Rand) organization.Tier {
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

// fictionalMetadata returns nothing for four of ten, a few members for most, and some kilobytes for one of ten.
func fictionalMetadata(random *rand.Rand) organization.Object {
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
		texts = append(texts, fmt.Sprintf(`"%s_%d":{"region":"%s","seats":%d,"note":"%s %s"}`, strings.ToLower(pick(random, fictionThird)),
			i, pick(random, fictionRegions), random.IntN(500), pick(random, fictionFirst), pick(random, fictionSecond)))
	}
	return organization.Object("{" + strings.Join(texts, ",") + "}")
}

// fictionalKey returns a key, of which some are read-only, for trying things out, or expired.
func fictionalKey(random *rand.Rand, id organization.ID, at time.Time) issued {
	mode := apikey.Live
	if random.IntN(4) == 0 {
		mode = apikey.Test
	}
	var expires *time.Time
	if random.IntN(3) == 0 {
		expires = new(at.Add(time.Duration(1+random.IntN(2000)) * day))
	}
	return newKey(id, mode, apikey.Read+apikey.Permission(random.IntN(int(apikey.Admin))), at, expires)
}

func pick(random *rand.Rand, from []string) string { return from[random.IntN(len(from))] }

var (
	fictionFirst = []string{
		"Amber", "Arctic", "Bright", "Cedar", "Clear", "Cobalt", "Copper", "Distant", "Eastern", "Fjord", "Golden", "Granite",
		"Harbor", "Iron", "Juniper", "Lunar", "Maple", "Misty", "Northern", "Olive", "Pacific", "Quiet", "Rapid", "Silver",
		"Solar", "Stone", "Summit", "Swift", "Tidal", "Velvet", "Western", "Willow",
	}
	fictionSecond = []string{
		"Anchor", "Arrow", "Beacon", "Bridge", "Brook", "Compass", "Crane", "Falcon", "Field", "Forge", "Fox", "Garden",
		"Grove", "Heron", "Lantern", "Ledger", "Mill", "Otter", "Owl", "Peak", "Pier", "Quarry", "River", "Signal",
		"Sparrow", "Spruce", "Tower", "Trail", "Valley", "Vista", "Wharf", "Window",
	}
	fictionThird = []string{
		"Analytics", "Archive", "Broadcast", "Design", "Energy", "Films", "Foods", "Foundation", "Health", "Imaging", "Insurance",
		"Labs", "Learning", "Logistics", "Media", "Motors", "Music", "News", "Outdoors", "Pictures", "Press", "Radio",
		"Research", "Retail", "Robotics", "Sports", "Studios", "Systems", "Textiles", "Travel", "Video", "Works",
	}
	fictionRegions = []string{"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "ap-northeast-1"}
)
