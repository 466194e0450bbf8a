// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/mixin/catalogue"
)

// quietOutcomes are the outcomes that no alert asks for, with the reason.
var quietOutcomes = map[string]string{
	"accepted": "good", "duplicate": "good", "stored": "good", "unchanged": "good", "skipped": "not for this component", "converted": "good", "sampled": "good", "ok": "good",
	"receiver_cmscdr_records refused":               "the sender tries again; CiscoMeetingServerRecordsRefused asks for the answers",
	"receiver_mediasense_records refused":           "CiscoMediaSenseEventsRefused asks for the answers",
	"receiver_ocms_records refused":                 "the lines stay in the file and are read again",
	"receiver_cmssyslog_records refused":            "the records are tried again; those that are not taken in the end are lost",
	"receiver_cmsevents_records overflow":           "CiscoMeetingServerEventsProblem, queue_full",
	"receiver_cmsevents_messages ignored":           "a message of another client's subscription",
	"receiver_cmsevents_messages unknown":           "a newer release; nothing of the picture is wrong",
	"receiver_cmsevents_messages malformed":         "CiscoMeetingServerEventsProblem, malformed",
	"receiver_cmssyslog_requests complete":          "good",
	"receiver_cmssyslog_requests no_request":        "traces of lines that were lost on the way; the event says which part is missing",
	"receiver_cmssyslog_requests no_response":       "as no_request",
	"receiver_cmssyslog_requests too_long":          "as no_request",
	"receiver_cmssyslog_requests body":              "as no_request",
	"receiver_cmssyslog_requests evicted":           "as no_request",
	"receiver_cmsapi_legs gone":                     "the leg ended between the list and its details",
	"receiver_cmsapi_legs failed":                   "CiscoMeetingServerAPIProblem",
	"receiver_cmsapi_reads busy":                    "CiscoMeetingServerAPIProblem",
	"receiver_cmsapi_reads failed":                  "CiscoMeetingServerAPIProblem",
	"receiver_cmsapi_reads malformed":               "CiscoMeetingServerAPIProblem",
	"receiver_cmsapi_reads not_found":               "an older release has no such object",
	"receiver_cmsapi_reads unauthorized":            "CiscoMeetingServerAPIProblem",
	"processor_callstitch_emitted complete":         "good",
	"processor_callstitch_emitted partial":          "calls that began before the Collector did",
	"processor_callstitch_emitted incomplete":       "the end of a process without storage",
	"processor_callstitch_emitted evicted":          "LegatoSpansIncomplete",
	"processor_callstitch_emitted unlisted":         "the end is known from the bridge's list",
	"processor_callstitch_emitted bridge_restarted": "CiscoMeetingServerBridgeRestarted",
}

// Every outcome of every counter of a component has an alert, or a reason for having none.
func TestOutcomes(t *testing.T) {
	all, err := catalogue.Load("..")
	require.NoError(t, err)
	used := map[string]bool{}
	outcomes := 0
	for _, m := range all {
		for _, label := range m.Labels {
			if label.Name != "outcome" || !m.Own {
				continue
			}
			for _, outcome := range label.Values {
				outcomes++
				key := m.Name + " " + outcome
				alert := alertsOn(t, m, "outcome", outcome)
				_, quiet := quietOutcomes[key]
				_, always := quietOutcomes[outcome]
				used[key], used[outcome] = true, true
				assert.True(t, alert != "" || quiet || always, "no alert asks for %s, and quietOutcomes has no reason", key)
				assert.False(t, alert != "" && quiet, "%s asks for %s: it is not quiet", alert, key)
			}
		}
	}
	assert.Greater(t, outcomes, 40)
	for key := range quietOutcomes {
		assert.True(t, used[key], "no metric has the outcome %s", key)
	}
}

// alertsOn returns an alert whose expression selects the series of a metric with a label,
// "" if there is none.
func alertsOn(t *testing.T, m catalogue.Metric, label, value string) string {
	t.Helper()
	names, err := m.Series()
	require.NoError(t, err)
	for _, group := range Alerts(DefaultConfig()) {
		for _, rule := range group.Rules {
			parsed, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
			require.NoError(t, err)
			found := false
			parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
				selector, ok := node.(*parser.VectorSelector)
				for _, name := range names {
					found = found || ok && selects(selector, name, label, value)
				}
				return nil
			})
			if found {
				return rule.Alert
			}
		}
	}
	return ""
}

// selects reports whether a selector selects a series, if its other labels fit.
func selects(selector *parser.VectorSelector, name, label, value string) bool {
	for _, m := range selector.LabelMatchers {
		if m.Name == "__name__" && !m.Matches(name) || m.Name == label && !m.Matches(value) {
			return false
		}
	}
	return true
}

// adviceOnly are metrics that READMEs of components advise to watch, and no alert asks for.
var adviceOnly = map[string]string{
	"otelcol_receiver_cmsevents_subscriptions":          "CiscoMeetingServerEventsProblem rings with the problem sockets or pending; left_out is a choice",
	"otelcol_receiver_cmsevents_messages":               "CiscoMeetingServerEventsProblem, malformed",
	"otelcol_receiver_mediasense_subscription_failures": "CiscoMediaSenseSubscriptionLost",
	"otelcol_processor_callstitch_owed":                 "LegatoSpansDelayed asks for the age",
	"otelcol_processor_callstitch_aside":                "LegatoSpansDelayed: records that are set aside count as owed, and their age grows",
	"otelcol_processor_callstitch_sessions_revived":     "CiscoMeetingServerSessionsOverlap",
}

var (
	alertingSection = regexp.MustCompile(`(?s)\n## Alerting\n(.*?)\n## `)
	advisedMetric   = regexp.MustCompile(`(?:cisco_|oracle_|otelcol_)[a-z0-9_]*[a-z0-9]`)
)

// What the README of a component advises to alert on, the mixin alerts on.
func TestAdvice(t *testing.T) {
	var expressions strings.Builder
	for _, group := range Alerts(DefaultConfig()) {
		for _, rule := range group.Rules {
			fmt.Fprintln(&expressions, rule.Expr)
		}
	}
	readmes, err := filepath.Glob("../*/*/README.md")
	require.NoError(t, err)
	advised := map[string]bool{}
	for _, readme := range readmes {
		content, err := os.ReadFile(readme)
		require.NoError(t, err)
		for _, section := range alertingSection.FindAllStringSubmatch(string(content), -1) {
			for _, row := range regexp.MustCompile("(?m)^\\| `([^`]*)` \\|").FindAllStringSubmatch(section[1], -1) {
				for _, name := range advisedMetric.FindAllString(row[1], -1) {
					advised[name] = true
					_, reason := adviceOnly[name]
					asked := regexp.MustCompile(`\b` + name + `\b`).MatchString(expressions.String())
					assert.True(t, reason || asked, "%s advises an alert on %s, which the mixin has not", readme, name)
					assert.False(t, reason && asked, "%s has an alert", name)
				}
			}
		}
	}
	assert.Greater(t, len(advised), 20)
	for name := range adviceOnly {
		assert.True(t, advised[name], name)
	}
}
