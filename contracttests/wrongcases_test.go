package contracttests

import (
	"strconv"
	"strings"
)

func rules(rules ...Rule) []Rule { return rules }

// wrongMembers: members that are missing, undeclared, or null where they must not be.
func wrongMembers() []wrongCase {
	var cases []wrongCase
	required := map[string]string{
		"organization_id": `"organization_id":"org_1",`, "organization_name": `"organization_name":"Northwind",`,
		"account_type": `"account_type":"pro",`, "credit_count": `"credit_count":100000,`,
		"created_at": `"created_at":"2026-01-05T09:30:00.000000Z",`, "updated_at": `"updated_at":"2026-01-05T09:30:00.000000Z",`,
		"rate_limits": `"rate_limits":{"metadata":100,"data":60,"search":60,"upload":30,"compute":30},`,
	}
	for _, name := range sortedKeys(required) {
		cases = append(cases, wrongCase{"without " + name, 200, withSwap(required[name], ""), rules(RuleSchema)})
	}
	notNull := []string{
		`"organization_id":"org_1"`, `"organization_name":"Northwind"`, `"account_type":"pro"`, `"credit_count":100000`,
		`"auto_billing_enabled":false`, `"billing_cycle_start":1`, `"current_month_usage":0`, `"metadata":{"region":"eu"}`,
		`"default_llm_credentials":{"open.ai":"sk-abcdefgh"}`, `"created_at":"2026-01-05T09:30:00.000000Z"`, `"data":60`,
	}
	for _, text := range notNull {
		name, _, _ := strings.Cut(text, ":")
		cases = append(cases, wrongCase{"null " + name, 200, withSwap(text, name+":null"), rules(RuleSchema)})
	}
	undeclared := rules(RulePropertyUndeclared)
	return append(cases,
		wrongCase{"internal_id", 200, withMember(`"internal_id":"int_1"`), undeclared},
		wrongCase{"null internal_id", 200, withMember(`"internal_id":null`), undeclared},
		wrongCase{"empty name", 200, withMember(`"":1`), undeclared},
		wrongCase{"case variant", 200, withMember(`"Organization_id":"org_1"`), undeclared},
		wrongCase{"undeclared rate limit", 200, withSwap(`"data":60`, `"data":60,"burst":1`), undeclared},
		wrongCase{"undeclared in an error", 401, withSwap(`"details":null`, `"details":null,"stack":"x"`), undeclared},
		wrongCase{"undeclared beside an error", 401, withMember(`"trace":"x"`), undeclared},
		wrongCase{"undeclared in a problem", 422, withSwap(`"type":`, `"input":"x","type":`), undeclared},
		wrongCase{"undeclared beside problems", 422, withMember(`"body":{}`), undeclared},
		wrongCase{"the whole body once more", 200, withMember(`"data":` + wholeOrganization), undeclared},
		wrongCase{"error without status", 401, withSwap(`"status":401,`, ``), rules(RuleSchema)},
		wrongCase{"error without message", 401, withSwap(`"message":"It failed.",`, ``), rules(RuleSchema)},
		wrongCase{"error without type", 401, withSwap(`"type":"UnauthorizedError",`, ``), rules(RuleSchema)},
		wrongCase{"error is null", 401, withBody(`{"success":false,"status":401,"error":null}`), rules(RuleSchema)},
		wrongCase{"success is null", 401, withSwap(`"success":false`, `"success":null`), rules(RuleSchema)},
		wrongCase{"problem without loc", 422, withSwap(`"loc":["body","rate_limits","data"],`, ``), rules(RuleSchema)},
		wrongCase{"problem without msg", 422, withSwap(`"msg":"too small",`, ``), rules(RuleSchema)},
		wrongCase{"problem without type", 422, withSwap(`,"type":"minimum"`, ``), rules(RuleSchema)},
	)
}

// wrongValues: values of the wrong type, format or size.
func wrongValues() []wrongCase {
	schema, format := rules(RuleSchema), rules(RuleSchemaFormat)
	created := func(text string) exchangeChange {
		return withSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`, `"created_at":"`+text+`"`)
	}
	billing := func(text string) exchangeChange { return withSwap(`billing@northwind.example`, text) }
	return []wrongCase{
		{"number as id", 200, withSwap(`"org_1"`, `1`), schema},
		{"boolean as name", 200, withSwap(`"Northwind"`, `true`), schema},
		{"number as logo", 200, withSwap(`"https://logo.example/x"`, `1`), schema},
		{"array as logo", 200, withSwap(`"https://logo.example/x"`, `[]`), schema},
		{"tier that is none", 200, withSwap(`"pro"`, `"platinum"`), schema},
		{"tier in another case", 200, withSwap(`"pro"`, `"Pro"`), schema},
		{"tier as number", 200, withSwap(`"pro"`, `1`), schema},
		{"credits as text", 200, withSwap(`100000`, `"100000"`), schema},
		{"credits with a fraction", 200, withSwap(`100000`, `1.5`), schema},
		{"metadata as array", 200, withSwap(`{"region":"eu"}`, `[]`), schema},
		{"metadata as text", 200, withSwap(`{"region":"eu"}`, `"{}"`), schema},
		{"email as number", 200, withSwap(`"billing@northwind.example"`, `1`), schema},
		{"email without @", 200, billing("billing"), format},
		{"email without a local part", 200, billing(" @northwind.example"), format},
		{"empty email", 200, billing(""), format},
		{"rate limits as array", 200, withSwap(`"metadata":100,"data":60,"search":60,"upload":30,"compute":30`, `"data":[]`), schema},
		{"rate limit 0", 200, withSwap(`"data":60`, `"data":0`), schema},
		{"rate limit -1", 200, withSwap(`"data":60`, `"data":-1`), schema},
		{"rate limit 1000001", 200, withSwap(`"data":60`, `"data":1000001`), schema},
		{"rate limit as text", 200, withSwap(`"data":60`, `"data":"60"`), schema},
		{"rate limit with a fraction", 200, withSwap(`"data":60`, `"data":60.5`), schema},
		{"text as boolean", 200, withSwap(`"auto_billing_enabled":false`, `"auto_billing_enabled":"false"`), schema},
		{"0 as boolean", 200, withSwap(`"auto_billing_enabled":false`, `"auto_billing_enabled":0`), schema},
		{"cycle as text", 200, withSwap(`"billing_cycle_start":1`, `"billing_cycle_start":"1"`), schema},
		{"usage as boolean", 200, withSwap(`"current_month_usage":0`, `"current_month_usage":false`), schema},
		{"users as object", 200, withSwap(`[{"name":"Ada"}]`, `{}`), schema},
		{"user as text", 200, withSwap(`[{"name":"Ada"}]`, `["Ada"]`), schema},
		{"user as null", 200, withSwap(`[{"name":"Ada"}]`, `[null]`), schema},
		{"provider id as number", 200, withSwap(`"ext_1"`, `1`), schema},
		{"credential as null", 200, withSwap(`"sk-abcdefgh"`, `null`), schema},
		{"credential as number", 200, withSwap(`"sk-abcdefgh"`, `1`), schema},
		{"API URL as boolean", 200, withSwap(`"https://api.example"`, `false`), schema},
		{"time as number", 200, withSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`, `"created_at":1767605400`), schema},
		{"time without a zone", 200, created("2026-01-05T09:30:00"), format},
		{"time with a blank for T", 200, created("2026-01-05 09:30:00Z"), format},
		{"date alone", 200, created("2026-01-05"), format},
		{"month 13", 200, created("2026-13-05T09:30:00Z"), format},
		{"no time at all", 200, created("now"), format},
		{"error status as text", 401, withSwap(`"status":401`, `"status":"401"`), schema},
		{"success as text", 401, withSwap(`"success":false`, `"success":"false"`), schema},
		{"error as text", 401, withBody(`{"status":401,"error":"It failed."}`), schema},
		{"message as number", 401, withSwap(`"It failed."`, `1`), schema},
		{"code as number", 401, withSwap(`"api_key_missing"`, `1`), schema},
		{"details as text", 401, withSwap(`"details":null`, `"details":"x"`), schema},
		{"detail as object", 422, withBody(`{"detail":{}}`), schema},
		{"detail as text", 422, withBody(`{"detail":"It failed."}`), schema},
		{"loc as text", 422, withSwap(`["body","rate_limits","data"]`, `"body"`), schema},
		{"boolean in loc", 422, withSwap(`"data"`, `true`), schema},
		{"fraction in loc", 422, withSwap(`"data"`, `0.5`), schema},
		{"msg as null", 422, withSwap(`"too small"`, `null`), schema},
	}
}

// wrongEnvelopes: bodies of another kind than is due.
func wrongEnvelopes() []wrongCase {
	both := rules(RulePropertyUndeclared, RuleSchema)
	return []wrongCase{
		{"wrapped", 200, withBody(`{"data":` + wholeOrganization + `}`), both},
		{"in an array", 200, withBody(`[` + wholeOrganization + `]`), rules(RuleSchema)},
		{"as text", 200, withBody(strconv.Quote(wholeOrganization)), rules(RuleSchema)},
		{"empty object", 200, withBody(`{}`), rules(RuleSchema)},
		{"error with 200", 200, withBody(errorJSON(400)), both},
		{"organization with 401", 401, withBody(wholeOrganization), both},
		{"validation error with 400", 400, withBody(validationError), both},
		{"error with 422", 422, withBody(errorJSON(400)), rules(RuleDetailEmpty, RulePropertyUndeclared)},
		{"true", 200, withBody(`true`), rules(RuleSchema)},
		{"7", 200, withBody(`7`), rules(RuleSchema)},
	}
}

// wrongJSON: texts that are no I-JSON, and numbers and times in a form that readers trip over.
func wrongJSON() []wrongCase {
	malformed := rules(RuleJSONMalformed)
	name := func(text string) exchangeChange { return withSwap(`"Northwind"`, `"`+text+`"`) }
	credits := func(text string) exchangeChange { return withSwap(`100000`, text) }
	created := func(text string) exchangeChange {
		return withSwap(`"created_at":"2026-01-05T09:30:00.000000Z"`, `"created_at":"`+text+`"`)
	}
	inexact, form := rules(RuleJSONNumberInexact), rules(RuleJSONIntegerForm)
	return []wrongCase{
		{"cut off", 200, withBody(wholeOrganization[:len(wholeOrganization)-1]), malformed},
		{"NaN", 200, credits(`NaN`), malformed},
		{"leading zero", 200, credits(`0100`), malformed},
		{"plus sign", 200, credits(`+1`), malformed},
		{"point alone", 200, credits(`1.`), malformed},
		{"single quotes", 200, withSwap(`"pro"`, `'pro'`), malformed},
		{"trailing comma", 200, withSwap(`"https://api.example"}`, `"https://api.example",}`), malformed},
		{"no comma", 200, withSwap(`"org_1",`, `"org_1"`), malformed},
		{"comment", 200, withBody("/**/" + wholeOrganization), malformed},
		{"byte order mark", 200, withBody("\ufeff" + wholeOrganization), malformed},
		{"raw newline in text", 200, name("North\nwind"), malformed},
		{"escape that is none", 200, name(`\x41`), malformed},
		{"short escape", 200, name(`\u00`), malformed},
		{"nesting without an end", 200, withSwap(`{"region":"eu"}`, strings.Repeat("[", 20_000)), malformed},
		{"vertical tab as white space", 200, withBody("\v" + wholeOrganization), malformed},
		{"HTML", 200, withBody("<html></html>"), malformed},
		{"text after", 200, withBody(wholeOrganization + "x"), rules(RuleJSONTrailingData)},
		{"two values", 200, withBody(wholeOrganization + wholeOrganization), rules(RuleJSONTrailingData)},
		{"NUL after", 200, withBody(wholeOrganization + "\x00"), rules(RuleJSONTrailingData)},
		{"the same member twice", 200, withMember(`"organization_id":"org_1"`), rules(RuleJSONDuplicateMember)},
		{"the same member once escaped", 200, withMember(`"\u006frganization_id":"org_1"`), rules(RuleJSONDuplicateMember)},
		{"twice in metadata", 200, withSwap(`"region":"eu"`, `"a":1,"a":1`), rules(RuleJSONDuplicateMember)},
		{"empty name twice", 200, withSwap(`"region":"eu"`, `"":1,"":1`), rules(RuleJSONDuplicateMember)},
		{"invalid UTF-8", 200, name("North\xffwind"), rules(RuleJSONInvalidUTF8)},
		{"Latin-1", 200, name("Caf\xe9"), rules(RuleJSONInvalidUTF8)},
		{"overlong UTF-8", 200, name("\xc0\xaf"), rules(RuleJSONInvalidUTF8)},
		{"surrogate in UTF-8", 200, name("\xed\xa0\x80"), rules(RuleJSONInvalidUTF8)},
		{"invalid UTF-8 in a name", 200, withSwap(`"region"`, "\"\xff\""), rules(RuleJSONInvalidUTF8)},
		{"invalid UTF-8 between", 200, withBody("{\xff" + wholeOrganization[1:]), rules(RuleJSONInvalidUTF8)},
		{"lone high surrogate", 200, name(`\ud83d`), rules(RuleJSONLoneSurrogate)},
		{"lone low surrogate", 200, name(`\ude00`), rules(RuleJSONLoneSurrogate)},
		{"surrogates in the wrong order", 200, name(`\ude00\ud83d`), rules(RuleJSONLoneSurrogate)},
		{"half a pair and a letter", 200, name(`\ud83d\u0041`), rules(RuleJSONLoneSurrogate)},
		{"lone surrogate in metadata", 200, withSwap(`"eu"`, `"\ud83d"`), rules(RuleJSONLoneSurrogate)},
		{"5.0", 200, credits(`5.0`), form},
		{"5e0", 200, credits(`5e0`), form},
		{"1e20", 200, credits(`1e20`), form},
		{"status 401.0", 401, withSwap(`"status":401`, `"status":401.0`), rules(RuleErrorStatusMismatch, RuleJSONIntegerForm)},
		{"2^53", 200, credits(`9007199254740992`), inexact},
		{"2^53+1", 200, credits(`9007199254740993`), inexact},
		{"25 digits", 200, credits(`-1234567890123456789012345`), inexact},
		{"a fraction above 2^53", 200, credits(`9007199254740993.5`), rules(RuleJSONNumberInexact, RuleSchema)},
		{"a fraction of 20 places", 200, credits(`1.00000000000000000001`), rules(RuleJSONNumberInexact, RuleSchema)},
		{"1e400", 200, credits(`1e400`), form},
		{"1e999999999", 200, credits(`1e999999999`), form},
		{"1e-999999999", 200, credits(`1e-999999999`), rules(RuleJSONNumberInexact, RuleSchema)},
		{"lower-case t", 200, created("2026-01-05t09:30:00Z"), rules(RuleDateTimeForm)},
		{"lower-case z", 200, created("2026-01-05T09:30:00z"), rules(RuleDateTimeForm)},
		{"leap second", 200, created("2025-12-31T23:59:60Z"), rules(RuleDateTimeForm)},
	}
}
