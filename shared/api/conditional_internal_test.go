package api

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestParseTags has the cases of RFC 9110, sections 5.6.1 (lists), 8.8.3 (entity tags) and 13.1 (the headers).
func TestParseTags(t *testing.T) {
	t.Parallel()
	star := tagList{present: true, any: true}
	tags := func(texts ...string) tagList {
		list := tagList{present: true}
		for _, text := range texts {
			opaque, weak := strings.CutPrefix(text, "W/")
			list.tags = append(list.tags, entityTag{weak, opaque})
		}
		return list
	}
	for _, test := range []struct {
		name, value string
		want        tagList // without present: malformed
	}{
		{"star", `*`, star},
		{"star with white space around", " \t* \t", star},
		{"one", `"x"`, tags(`"x"`)},
		{"weak", `W/"x"`, tags(`W/"x"`)},
		{"empty tag", `""`, tags(`""`)},
		{"list", `"x", W/"y","z"`, tags(`"x"`, `W/"y"`, `"z"`)},
		{"spaces around commas", `"x"  ,  "y"`, tags(`"x"`, `"y"`)},
		{"tabs around commas", "\"x\"\t,\t\"y\" \t , \t \"z\"", tags(`"x"`, `"y"`, `"z"`)},
		{"last element empty", `"x",`, tags(`"x"`)},
		{"first element empty", `,"x"`, tags(`"x"`)},
		{"elements between empty", "\"x\", ,\t, ,\"y\"", tags(`"x"`, `"y"`)},
		{"all elements empty", `, ,`, tags()},
		{"no element", ``, tags()},
		{"white space alone", " \t", tags()},
		{"commas and asterisks within a tag", `"a,b*", "*"`, tags(`"a,b*"`, `"*"`)},
		{"backslash is no escape", `"a\"`, tags(`"a\"`)},
		{"Latin-1", "\"\xe9\xff\x80\"", tags("\"\xe9\xff\x80\"")},
		{"UTF-8", `"é😀"`, tags(`"é😀"`)},
		{"all of ASCII that a tag may have", `"!#$%&'()*+,-./09:;<=>?@AZ[\]^_` + "`" + `az{|}~"`, tags(`"!#$%&'()*+,-./09:;<=>?@AZ[\]^_` + "`" + `az{|}~"`)},

		{"star in a list", `*, "x"`, tagList{}},
		{"star after a tag", `"x", *`, tagList{}},
		{"star with an empty element", `*,`, tagList{}},
		{"two stars", `*, *`, tagList{}},
		{"no quotes", `x`, tagList{}},
		{"no comma", `"x" "y"`, tagList{}},
		{"no comma and no space", `"x""y"`, tagList{}},
		{"open quote", `"x`, tagList{}},
		{"weak in lower case", `w/"x"`, tagList{}},
		{"space after W/", `W/ "x"`, tagList{}},
		{"weak without a tag", `W/`, tagList{}},
		{"space within a tag", `"a b"`, tagList{}},
		{"tab within a tag", "\"a\tb\"", tagList{}},
		{"NUL within a tag", "\"a\x00\"", tagList{}},
		{"DEL within a tag", "\"a\x7f\"", tagList{}},
		{"line feed within the list", "\"a\",\n\"b\"", tagList{}},
		{"no-break space within the list", "\"a\",\u00a0\"b\"", tagList{}},
		{"semicolons", `"x"; "y"`, tagList{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, problem := parseTags(test.value)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(tagList{}, entityTag{})); diff != "" {
				t.Errorf("parseTags(%q) (-want +got):\n%s", test.value, diff)
			}
			if (problem == nil) != test.want.present {
				t.Errorf("parseTags(%q) has the problem %v", test.value, problem)
			}
		})
	}
}

// TestConditionPattern: parseTags accepts exactly what the contract's pattern matches, in values without white space
// around them, as those of HTTP are.
func TestConditionPattern(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(conditionPattern)
	pieces := rapid.SampledFrom([]string{
		`"x"`, `W/"y"`, `""`, `"é"`, "\"\xe9\"", `*`, `,`, `, `, " ", "\t", `W/`, `"`, `w/"x"`, "\"a b\"", "\"\x7f\"", "\n", "\u00a0",
	})
	rapid.Check(t, func(t *rapid.T) {
		value := strings.Trim(strings.Join(rapid.SliceOfN(pieces, 0, 8).Draw(t, "pieces"), ""), whiteSpace)
		_, problem := parseTags(value)
		if matches := pattern.MatchString(value); matches != (problem == nil) {
			t.Fatalf("parseTags(%q) has the problem %v; the pattern matches: %v", value, problem, matches)
		}
	})
}
