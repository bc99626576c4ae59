package template_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"organizations-api/shared/telemetry"
)

// properties returns the properties of a resource.
func properties(r object) object { return members(r["Properties"]) }

// only returns the one resource of the map.
func only(t *testing.T, all map[string]object, what string) (id string, r object) {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("%d resources of %s, want one", len(all), what)
	}
	for id, r = range all {
	}
	return id, r
}

// TestDeploymentsAreGuardedByTheNewVersion: an alarm that can stop a deployment sees the requests of the new version
// alone. Its name changes with the version, so that it begins without the state of the one before. In an emergency
// none can stop it.
func TestDeploymentsAreGuardedByTheNewVersion(t *testing.T) {
	for name, s := range stacks(t) {
		emergency := s.parameters["Emergency"] == "on"
		groups, alarms := s.ofType("AWS::CodeDeploy::DeploymentGroup"), s.ofType("AWS::CloudWatch::Alarm")
		if len(groups) != 2 {
			t.Fatalf("%s: %d deployment groups, want 2", name, len(groups))
		}
		for id, group := range groups {
			function := strings.TrimSuffix(id, "DeploymentGroup")
			guards := elements(members(properties(group)["AlarmConfiguration"])["Alarms"])
			if len(guards) != 2 {
				t.Errorf("%s: %s has %d alarms, want 2", name, id, len(guards))
			}
			for _, guard := range guards {
				checkGuard(t, name, alarms[references(guard)[0]], function, emergency)
			}
			how, err := json.Marshal(properties(group)["DeploymentConfigName"])
			want := s.parameters["DeploymentPreference"]
			if emergency {
				want = "AllAtOnce"
			}
			if err != nil || !strings.Contains(string(how), `"`+want+`"`) {
				t.Errorf("%s: %s moves traffic by %s, want %s", name, id, how, want)
			}
		}
	}
}

func checkGuard(t *testing.T, set string, alarm object, function string, emergency bool) {
	t.Helper()
	p := properties(alarm)
	version := regexp.MustCompile(`^` + function + `Version[0-9a-f]{10}$`)
	sees := func(v any) bool { return slices.ContainsFunc(references(v), version.MatchString) }
	if !sees(p["AlarmName"]) {
		t.Errorf("%s: the name of a guard of %s is %v, want the new version in it", set, function, p["AlarmName"])
	}
	if !sees(p["Dimensions"]) || p["Metrics"] != nil {
		t.Errorf("%s: a guard of %s watches %v, want the new version alone", set, function, p["Dimensions"])
	}
	if threshold, _ := p["Threshold"].(float64); (threshold > 1e8) != emergency {
		t.Errorf("%s: a guard of %s goes off above %v, emergency %v", set, function, threshold, emergency)
	}
}

// TestOldVersionsStay: new code makes a new resource for its version, a changed parameter replaces the version under
// the same name; the version before stays either way, so that there is one to go back to.
func TestOldVersionsStay(t *testing.T) {
	source, _ := read(t, "template.yaml")
	one := map[string]map[string]string{"": {}}
	before := newStack(translate(t, source, code, false, nil, one)[""].Template, nil).ofType("AWS::Lambda::Version")
	after := newStack(translate(t, source, code+"0", false, nil, one)[""].Template, nil).ofType("AWS::Lambda::Version")
	if len(before) != 2 || len(after) != 2 {
		t.Fatalf("%d and %d versions, want 2 each", len(before), len(after))
	}
	for id := range before {
		if after[id] != nil {
			t.Errorf("%s is the version of new code, too", id)
		}
	}
	for id, version := range before {
		if version["DeletionPolicy"] != "Retain" || version["UpdateReplacePolicy"] != "Retain" {
			t.Errorf("%s has the policies %v and %v, want Retain", id, version["DeletionPolicy"], version["UpdateReplacePolicy"])
		}
	}
}

// parametersOf returns the parameters that a value of the source template depends on, through conditions too.
func parametersOf(template object, v any) map[string]bool {
	found := map[string]bool{}
	var visit func(v any)
	visit = func(v any) {
		name, argument := function(v)
		switch name {
		case "Fn::If":
			visit(object{"Condition": elements(argument)[0]})
		case "Condition":
			visit(members(template["Conditions"])[text(argument)])
			return
		}
		for _, id := range references(v) {
			if _, ok := members(template["Parameters"])[id]; ok {
				found[id] = true
			}
		}
		switch v := v.(type) {
		case object:
			for _, child := range v {
				visit(child)
			}
		case list:
			for _, child := range v {
				visit(child)
			}
		}
	}
	visit(v)
	return found
}

// TestVersionsFollowParameters: SAM publishes a new version only if the text of a function's properties changes. A new
// value of a parameter changes only the version's description. So the description must name every parameter that a
// version depends on. Otherwise the parameter would take effect only at the next deployment of new code.
func TestVersionsFollowParameters(t *testing.T) {
	t.Parallel()
	_, template := read(t, "template.yaml")
	ofStack := []string{ // properties of the function that its versions do not keep
		"ReservedConcurrentExecutions", "DeploymentPreference", "Policies", "Events", "AutoPublishAlias", "VersionDescription",
	}
	functions := newStack(template, nil).ofType("AWS::Serverless::Function")
	if len(functions) != 2 {
		t.Errorf("%d functions, want 2", len(functions))
	}
	for id := range functions {
		kept := maps.Clone(members(members(template["Globals"])["Function"]))
		own := members(members(members(template["Resources"])[id])["Properties"])
		maps.Copy(kept, own)
		for _, name := range ofStack {
			delete(kept, name)
		}
		named := parametersOf(template, own["VersionDescription"])
		if diff := cmp.Diff(parametersOf(template, kept), named); diff != "" {
			t.Errorf("%s: parameters of a version (-in its properties +in its description):\n%s", id, diff)
		}
		if len(named) < 5 {
			t.Errorf("%s: a version depends on %v alone", id, named)
		}
	}
}

// TestDomain: with a domain name the default endpoint is off, and the secret of the edge is the first part of every
// path.
func TestDomain(t *testing.T) {
	for name, s := range stacks(t) {
		_, api := only(t, s.ofType("AWS::ApiGatewayV2::Api"), "an API")
		body, err := json.Marshal(properties(api)["Body"])
		if err != nil {
			t.Fatal(err)
		}
		hasDomain := s.parameters["DomainName"] != ""
		if off := strings.Contains(string(body), `"disableExecuteApiEndpoint":true`); off != hasDomain {
			t.Errorf("%s: the default endpoint is off: %v, want %v", name, off, hasDomain)
		}
		mappings := s.ofType("AWS::ApiGatewayV2::ApiMapping")
		if !hasDomain {
			if len(mappings) != 0 {
				t.Errorf("%s: a mapping without a domain name", name)
			}
			continue
		}
		_, mapping := only(t, mappings, "a mapping")
		if got, want := text(properties(mapping)["ApiMappingKey"]), s.parameters["OriginKey"]; got != want {
			t.Errorf("%s: the mapping's key is %q, want %q", name, got, want)
		}
	}
}

// TestKeyEncryptsTablesAndLogs: the key of the parameter encrypts everything that the stack stores, and the functions
// may use it only for DynamoDB. Without the parameter they may use no key.
func TestKeyEncryptsTablesAndLogs(t *testing.T) {
	for name, s := range stacks(t) {
		key := s.parameters["KmsKeyArn"]
		for id, table := range s.ofType("AWS::DynamoDB::Table") {
			sse := members(properties(table)["SSESpecification"])
			if sse["SSEEnabled"] != true || sse["SSEType"] != "KMS" || text(sse["KMSMasterKeyId"]) != key {
				t.Errorf("%s: %s is encrypted by %v, want the key %q", name, id, sse, key)
			}
		}
		for id, logs := range s.ofType("AWS::Logs::LogGroup") {
			if got := text(properties(logs)["KmsKeyId"]); got != key {
				t.Errorf("%s: %s is encrypted by %q, want %q", name, id, got, key)
			}
		}
		for id, role := range s.ofType("AWS::IAM::Role") {
			policies, err := json.Marshal(properties(role)["Policies"])
			if err != nil {
				t.Fatal(err)
			}
			may := strings.Contains(string(policies), `"kms:Decrypt"`)
			if want := key != "" && id != "CodeDeployServiceRole"; may != want {
				t.Errorf("%s: %s may use a key: %v, want %v", name, id, may, want)
			}
			if may && !strings.Contains(string(policies), `"kms:ViaService":{"Fn::Sub":"dynamodb.`) {
				t.Errorf("%s: %s may use the key for anything, want DynamoDB alone", name, id)
			}
		}
	}
}

// TestLogsOutliveTheStack: with the parameter, the log groups stay when the stack is deleted, and have other names.
func TestLogsOutliveTheStack(t *testing.T) {
	for name, s := range stacks(t) {
		groups := s.ofType("AWS::Logs::LogGroup")
		if len(groups) != 3 {
			t.Errorf("%s: %d log groups, want 3", name, len(groups))
		}
		want := [2]any{"Delete", "Delete"}
		if s.parameters["LogsOutliveStack"] == "on" {
			want = [2]any{"RetainExceptOnCreate", "Retain"}
		}
		for id, group := range groups {
			if got := [2]any{group["DeletionPolicy"], group["UpdateReplacePolicy"]}; got != want {
				t.Errorf("%s: %s has the policies %v, want %v", name, id, got, want)
			}
		}
		for id, table := range s.ofType("AWS::DynamoDB::Table") {
			if table["DeletionPolicy"] != "Retain" || table["UpdateReplacePolicy"] != "Retain" {
				t.Errorf("%s: %s does not stay", name, id)
			}
		}
	}
}

// TestSomebodyIsNotified: every alarm notifies the topic. If there is no topic, an output says so.
func TestSomebodyIsNotified(t *testing.T) {
	for name, s := range stacks(t) {
		want := list(nil)
		if s.parameters["AlarmEmail"] != "" {
			id, topic := only(t, s.ofType("AWS::SNS::Topic"), "a topic")
			want = list{object{"Ref": id}}
			subscription := list{object{"Protocol": "email", "Endpoint": s.parameters["AlarmEmail"]}}
			if diff := cmp.Diff(subscription, elements(properties(topic)["Subscription"])); diff != "" {
				t.Errorf("%s: the topic's subscription (-want +got):\n%s", name, diff)
			}
		} else if arn := s.parameters["AlarmTopicArn"]; arn != "" {
			want = list{arn}
		}
		alarms := s.ofType("AWS::CloudWatch::Alarm")
		if len(alarms) < 15 {
			t.Errorf("%s: %d alarms", name, len(alarms))
		}
		for id, alarm := range alarms {
			if diff := cmp.Diff(want, elements(properties(alarm)["AlarmActions"])); diff != "" {
				t.Errorf("%s: what %s notifies (-want +got):\n%s", name, id, diff)
			}
		}
		if _, warns := s.outputs()["WarningNobodyIsNotified"]; warns != (want == nil) {
			t.Errorf("%s: the output warns that nobody is notified: %v", name, warns)
		}
		if _, warns := s.outputs()["WarningEmergency"]; warns != (s.parameters["Emergency"] == "on") {
			t.Errorf("%s: the output warns of the emergency: %v", name, warns)
		}
	}
}

// TestArchitecture: both functions get the architecture of the parameter.
func TestArchitecture(t *testing.T) {
	for name, s := range stacks(t) {
		for id, function := range s.ofType("AWS::Lambda::Function") {
			if got, want := properties(function)["Architectures"], (list{s.parameters["Architecture"]}); !cmp.Equal(got, any(want)) {
				t.Errorf("%s: the architectures of %s are %v, want %v", name, id, got, want)
			}
		}
	}
}

// TestDashboard: its body is JSON, its metrics are those that the functions write, and its queries read the logs of
// the stack.
func TestDashboard(t *testing.T) {
	t.Parallel()
	_, template := read(t, "template.yaml")
	_, overview := only(t, newStack(template, nil).ofType("AWS::CloudWatch::Dashboard"), "a dashboard")
	_, sub := function(properties(overview)["DashboardBody"])
	names := members(elements(sub)[1])
	body := substituted.ReplaceAllStringFunc(text(elements(sub)[0]), func(name string) string { return name[2 : len(name)-1] })
	var dashboard struct {
		Widgets []struct {
			X, Y, Width, Height int
			Properties          struct {
				Title, Query string
				Metrics      [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil {
		t.Fatalf("the dashboard's body is no JSON: %v\n%s", err, body)
	}
	written := map[string]bool{}
	for _, attribute := range (telemetry.Request{Started: time.Unix(0, 0)}).Embedded(telemetry.Function{}, false) {
		written[attribute.Key] = true
	}
	places := map[string]bool{}
	for _, w := range dashboard.Widgets {
		places[fmt.Sprint(w.X, w.Y)] = true
		if len(w.Properties.Metrics) == 0 && !strings.Contains(w.Properties.Query, "SOURCE 'GetLogs' | SOURCE 'UpdateLogs'") {
			t.Errorf("the widget %q shows neither metrics nor both logs", w.Properties.Title)
		}
		for _, metric := range w.Properties.Metrics {
			if metric[0] != "OrganizationsAPI" {
				continue
			}
			if name, of := text(metric[1]), text(metric[3]); !written[name] || names[of] == nil {
				t.Errorf("the widget %q shows %s of %s, which no function writes", w.Properties.Title, name, of)
			}
		}
	}
	if len(places) != len(dashboard.Widgets) || len(places) < 8 {
		t.Errorf("%d widgets in %d places, want eight or more, each in its own", len(dashboard.Widgets), len(places))
	}
	used := regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(text(elements(sub)[0]), -1)
	for _, match := range used {
		delete(names, match[1])
	}
	if len(names) > 0 {
		t.Errorf("the dashboard does not use %q", slices.Sorted(maps.Keys(names)))
	}
}
