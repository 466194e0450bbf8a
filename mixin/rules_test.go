// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/legato-otel/legato/mixin/catalogue"
	"github.com/legato-otel/legato/mixin/lint"
)

// newLinter knows the metrics of all components and the recording rules.
func newLinter(t *testing.T, c Config) *lint.Linter {
	t.Helper()
	all, err := catalogue.Load("..")
	require.NoError(t, err)
	index, err := catalogue.Index(all)
	require.NoError(t, err)
	recorded := make(map[string][]string)
	for _, group := range Recordings(c) {
		for _, rule := range group.Rules {
			recorded[rule.Record] = slices.Concat(recorded[rule.Record], []string{"sloth_id", "sloth_service", "sloth_slo", "sloth_window", "reason", "activated", "state"})
		}
	}
	return &lint.Linter{
		Index: index, Recorded: recorded, ClusterLabel: c.ClusterLabel,
		Resource: slices.Concat(c.SelfLabels, []string{c.ClusterLabel, c.BridgeLabel, "cisco_meeting_server_system_id", "job", "instance", "site"}),
	}
}

// otherConfig differs from the default in all that an estate may set.
func otherConfig() Config {
	c := DefaultConfig()
	c.Selector, c.SelfSelector = `site="x"`, `job="otel"`
	c.ClusterLabel, c.BridgeLabel, c.SelfLabels = "site", "cisco_meeting_server_system_id", []string{"instance"}
	return c
}

// Every expression parses, selects metrics, labels and values that exist, and keeps
// the cluster, for any configuration.
func TestExpressions(t *testing.T) {
	for name, c := range map[string]Config{"default": DefaultConfig(), "other": otherConfig()} {
		l := newLinter(t, c)
		for _, group := range slices.Concat(Alerts(c), Recordings(c)) {
			for _, rule := range group.Rules {
				assert.Empty(t, l.Check(rule.Expr), "%s: %s%s: %s", name, rule.Alert, rule.Record, rule.Expr)
			}
		}
	}
}

// A linter that finds nothing proves nothing.
func TestLinterFinds(t *testing.T) {
	l := newLinter(t, DefaultConfig())
	for expression, problem := range map[string]string{
		`sum by (cisco_meeting_server_cluster) (`:                                                                           "parse error",
		`cisco_meeting_server_record_lost_total > 0`:                                                                        "no metric is called",
		`{__name__=~"otelcol_receiver_cmscdr_record(_total)?"} > 0`:                                                         "no metric is called",
		`cisco_meeting_server_call_leg_ended_total{cause="error"} > 0`:                                                      "no label cause",
		`otelcol_receiver_cmscdr_records{outcome="dropped"} > 0`:                                                            "no such value",
		`sum(cisco_meeting_server_record_missing_total) > 0`:                                                                "loses the cluster",
		`sum by (service_instance_id) (cisco_meeting_server_record_missing_total) > 0`:                                      "loses the cluster",
		`sum by (cisco_meeting_server_cluster, reason) (cisco_meeting_server_record_missing_total) > 0`:                     "no label reason",
		`cisco_meeting_server_record_position and on () cisco_meeting_server_record_created_total`:                          "matches across clusters",
		`cisco_meeting_server_record_position and ignoring (cisco_meeting_server_cluster) cisco_meeting_server_call_count`:  "matches across clusters",
		`sum without (cisco_meeting_server_cluster) (cisco_meeting_server_record_missing_total) > 0`:                        "loses the cluster",
		`cisco_meeting_server_record_position and on (service_instance_id) cisco_meeting_server_record_created_total`:       "matches across clusters",
		`max by (cisco_meeting_server_cluster) (slo:sli_error:ratio_rate7d{sloth_id="cisco-meeting-server-joins"}) > 0.1`:   "no metric is called",
		`max by (cisco_meeting_server_cluster, node) (cisco_meeting_server_database_node_up{node_address="10.0.0.1"}) == 0`: "no label node",
		`histogram_quantile(0.9, sum by (le) (rate(cisco_meeting_server_call_leg_live_jitter_seconds_bucket[5m]))) > 1`:     "loses the cluster",
		`histogram_quantile(0.9, rate(cisco_meeting_server_call_leg_live_jitter_bucket[5m])) > 1`:                           "no metric is called",
	} {
		assert.Contains(t, strings.Join(l.Check(expression), "\n"), problem, expression)
	}
}

// An alert says what it is about: severity, a static summary, a description with the
// value, and the page that says what to do. Times are as long as sense allows.
func TestAlertsAreWhole(t *testing.T) {
	names := make(map[string]string) // summary by alert
	for _, group := range Alerts(DefaultConfig()) {
		for _, rule := range group.Rules {
			assert.Regexp(t, `^(CiscoMeetingServer|CiscoMediaSense|OracleOCMS|Legato)([A-Z]+[a-z]+)+$`, rule.Alert)
			assert.Contains(t, []string{critical, warning, info}, rule.Labels["severity"], rule.Alert)
			summary, description := rule.Annotations["summary"], rule.Annotations["description"]
			assert.NotContains(t, summary, "{{", rule.Alert)
			assert.NotContains(t, summary, ".", rule.Alert)
			if known, found := names[rule.Alert]; found {
				assert.Equal(t, known, summary, rule.Alert)
			}
			names[rule.Alert] = summary
			assert.Contains(t, description, "$labels.", rule.Alert)
			// 0 and 1 say nothing: an alert on a state names the state.
			onState := regexp.MustCompile(`== [01]\n?$|_(problems|database_error)[^\n]*> 0$`).MatchString(rule.Expr)
			assert.True(t, onState || strings.Contains(description, "$value"), rule.Alert)
			assert.NotRegexp(t, `%\.0f" \}\} [a-z]`, description, "%s: 1 of many, use counted", rule.Alert)
			assert.Equal(t, DefaultConfig().RunbookURL+rule.Alert+".md", rule.Annotations["runbook_url"])
			checkFor(t, rule)
		}
	}
	assert.GreaterOrEqual(t, len(names), 25)
}

// A noun agrees with the number that Prometheus puts before it, and a rate of 0.98 in the
// window is a 1.
func TestCounted(t *testing.T) {
	parsed, err := template.New("").Parse(`{{ $value := . }}` + counted("person was", "people were") + " turned away")
	require.NoError(t, err)
	for value, want := range map[float64]string{0.98: "1 person was turned away", 1: "1 person was turned away", 1.6: "2 people were turned away", 11: "11 people were turned away"} {
		var text strings.Builder
		require.NoError(t, parsed.Execute(&text, value))
		assert.Equal(t, want, text.String())
	}
}

// rangeOf finds the windows of an expression.
var rangeOf = regexp.MustCompile(`\[(\d+[smhd])`)

// checkFor: the time that an alert is pending is no longer than the window that it
// looks at: with a longer one a single event would never ring. A gauge without a window
// must be pending, or a single sample rings, unless the state comes as an event.
func checkFor(t *testing.T, rule Rule) {
	t.Helper()
	pending := duration(t, rule.For)
	if strings.Contains(rule.Expr, "slo:") {
		return // windows of recording rules
	}
	longest := time.Duration(0)
	for _, window := range rangeOf.FindAllStringSubmatch(rule.Expr, -1) {
		longest = max(longest, duration(t, window[1]))
	}
	if longest > 0 {
		assert.LessOrEqual(t, pending, longest, rule.Alert)
		return
	}
	byEvent := strings.Contains(rule.Expr, "storage_state") || strings.Contains(rule.Expr, "license_remaining")
	assert.True(t, byEvent || pending >= 2*time.Minute, "%s rings on one sample", rule.Alert)
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	if text == "" {
		return 0
	}
	d, err := model.ParseDuration(text)
	require.NoError(t, err)
	return time.Duration(d)
}

// The committed files are those of the default configuration.
func TestOut(t *testing.T) {
	for name, groups := range map[string][]Group{"alerts.yaml": Alerts(DefaultConfig()), "recordings.yaml": Recordings(DefaultConfig())} {
		want, err := File(groups)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join("out", name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s is not current: run make generate", name)
	}
}

// metricName finds names of metrics in a document.
var metricName = regexp.MustCompile(`\b(?:cisco_meeting_server|cisco_mediasense|oracle_ocms|otelcol_(?:receiver_(?:cms|mediasense|ocms)|processor_callstitch|connector_logtospan|exporter_callrecord))[a-z0-9_]*[a-z0-9]`)

// notMetrics are what documents call by such a name besides metrics: labels, and attributes
// of log records as Loki spells them.
var notMetrics = []string{
	"cisco_meeting_server_cluster", "cisco_meeting_server_system_id", "cisco_meeting_server_call_bridge_id", "cisco_meeting_server_session_id",
	"cisco_meeting_server_call_leg_reason", "cisco_meeting_server_call_leg_alarm_packet_loss_duration_percentage", "cisco_mediasense_session_session_state",
}

// Every metric that a document names exists.
func TestDocuments(t *testing.T) {
	l := newLinter(t, DefaultConfig())
	known := func(name string) bool {
		if _, found := l.Index[name]; found || slices.Contains(notMetrics, name) {
			return true
		}
		// A family: the name without what the kind appends.
		for _, suffix := range []string{"_total", "_bucket"} {
			if _, found := l.Index[name+suffix]; found {
				return true
			}
		}
		return false
	}
	documents := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "build" || name == "dist" || name == "data" || name == ".git" || name == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		documents++
		content, err := os.ReadFile(path)
		for _, name := range metricName.FindAllString(string(content), -1) {
			assert.True(t, known(name), "%s names %s, which no component has", path, name)
		}
		return err
	}))
	assert.Greater(t, documents, 20)
}

// Scaled rules are the same rules: every time is shorter, and nothing else differs.
func TestTimeScale(t *testing.T) {
	c := DefaultConfig()
	c.TimeScale = 1.0 / 60
	plain, scaled := slices.Concat(Alerts(DefaultConfig()), Recordings(DefaultConfig())), slices.Concat(Alerts(c), Recordings(c))
	times := regexp.MustCompile(`(\[|:|offset )\d[0-9smhd]*`)
	for i := range plain {
		for k, rule := range plain[i].Rules {
			shorter := scaled[i].Rules[k]
			assert.Equal(t, times.ReplaceAllString(rule.Expr, "$1"), times.ReplaceAllString(shorter.Expr, "$1"))
			assert.Equal(t, rule.Labels, shorter.Labels)
			assert.Equal(t, duration(t, rule.For)/60, duration(t, shorter.For), rule.Alert)
		}
	}
	assert.Contains(t, scaled[0].Rules[0].Expr, "[10s]")
	assert.Contains(t, scaled[0].Rules[0].Expr, "offset 10s")
}
