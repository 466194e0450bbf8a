// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// scenario is what promtool plays, as scenarios/*.yaml have it. At each time of
// expect the alerts that are listed fire, with exactly these labels, and no other alert
// of the mixin does. "BRIDGE", "BRIDGE2" and "COLLECTOR" in series and labels stand for
// the labels of a bridge, of the bridge with the same name in another cluster, and of
// a Collector.
type scenario struct {
	Name     string
	Interval string
	// Series by their selector, in promtool's notation of values.
	Series map[string]string
	// Counters is the value of all rows of counters.yaml, and RiseAt the time from which
	// each of their alerts fires for the length of its window.
	Counters string
	RiseAt   string `yaml:"rise_at"`
	Expect   []expectation
}

type expectation struct {
	At   string
	Fire []string
}

// counter is an alert that rings when a counter rises.
type counter struct{ Alert, Series, Labels, Severity, Window string }

const (
	bridgeLabels    = `cisco_meeting_server_cluster="east", service_instance_id="a"`
	bridge2Labels   = `cisco_meeting_server_cluster="west", service_instance_id="a"`
	collectorLabels = `job="collector", instance="c1"`
)

func withLabels(text string) string {
	return strings.NewReplacer("BRIDGE2", bridge2Labels, "BRIDGE", bridgeLabels, "COLLECTOR", collectorLabels).Replace(text)
}

// promtool's file.
type promtoolFile struct {
	RuleFiles          []string `yaml:"rule_files"`
	EvaluationInterval string   `yaml:"evaluation_interval"`
	FuzzyCompare       bool     `yaml:"fuzzy_compare,omitempty"`
	Tests              []promtoolTest
}

type promtoolTest struct {
	Name        string
	Interval    string
	InputSeries []promtoolSeries `yaml:"input_series"`
	AlertTests  []promtoolAlert  `yaml:"alert_rule_test"`
}

type promtoolSeries struct{ Series, Values string }

type promtoolAlert struct {
	EvalTime string `yaml:"eval_time"`
	Name     string `yaml:"alertname"`
	Expected []struct {
		Labels map[string]string `yaml:"exp_labels"`
	} `yaml:"exp_alerts"`
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, into), file)
}

func readScenarios(t *testing.T) (all []scenario) {
	t.Helper()
	files, err := filepath.Glob("scenarios/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		if filepath.Base(file) == "counters.yaml" {
			continue
		}
		var some []scenario
		readYAML(t, file, &some)
		all = append(all, some...)
	}
	return all
}

func readCounters(t *testing.T) (all []counter) {
	t.Helper()
	readYAML(t, "scenarios/counters.yaml", &all)
	return all
}

var firing = regexp.MustCompile(`^(\w+)(?: (\w+))?(?:\{(.*)\})?$`)

// expected returns the labels of the alerts that fire at a time, by alert.
func (s scenario) expected(t *testing.T, e expectation, counters []counter, severities map[string][]string) map[string][]map[string]string {
	t.Helper()
	fire := make(map[string][]map[string]string)
	add := func(alert, severity, labels string) {
		if severity == "" {
			require.Len(t, severities[alert], 1, "%s: %s needs a severity", s.Name, alert)
			severity = severities[alert][0]
		}
		require.Contains(t, severities[alert], severity, "%s: %s", s.Name, alert)
		set := map[string]string{"severity": severity}
		for pair := range strings.SplitSeq(withLabels(labels), ", ") {
			if name, value, found := strings.Cut(pair, "="); found {
				set[name] = strings.Trim(value, `"`)
			}
		}
		fire[alert] = append(fire[alert], set)
	}
	for _, text := range e.Fire {
		parts := firing.FindStringSubmatch(text)
		require.NotNil(t, parts, "%s: %s", s.Name, text)
		add(parts[1], parts[2], parts[3])
	}
	if s.RiseAt == "" {
		return fire
	}
	for _, c := range counters {
		if since := duration(t, e.At) - duration(t, s.RiseAt); since >= 0 && since < duration(t, c.Window) {
			add(c.Alert, c.Severity, c.Labels)
		}
	}
	return fire
}

// coverage is what the scenarios show of an alert.
type coverage struct{ fires, resolves bool }

func TestScenarios(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if path := os.Getenv("LEGATO_PROMTOOL"); path != "" {
		promtool, err = path, nil
	}
	if err != nil {
		if os.Getenv("LEGATO_REQUIRE_PROMETHEUS") != "" {
			require.NoError(t, err, "promtool comes with Prometheus, which LEGATO_REQUIRE_PROMETHEUS asks for")
		}
		t.Skip("promtool is not installed")
	}
	alerts, severities := Alerts(DefaultConfig()), make(map[string][]string)
	for _, group := range alerts {
		for i, rule := range group.Rules {
			if !slices.Contains(severities[rule.Alert], rule.Labels["severity"]) {
				severities[rule.Alert] = append(severities[rule.Alert], rule.Labels["severity"])
			}
			group.Rules[i].Annotations = nil // promtool compares them; rules_test.go is about them
		}
	}
	counters, shown := readCounters(t), make(map[string]*coverage)
	files := make(map[string]promtoolFile) // by what they share: rules are evaluated as often as there are samples
	fires, silences := make(map[string]int), make(map[string]int)
	for i, s := range readScenarios(t) {
		test := promtoolTest{Name: s.Name, Interval: s.Interval}
		if test.Interval == "" {
			test.Interval = "1m"
		}
		for _, series := range slices.Sorted(maps.Keys(s.Series)) {
			test.InputSeries = append(test.InputSeries, promtoolSeries{withLabels(series), s.Series[series]})
		}
		if s.Counters != "" {
			for _, c := range counters {
				test.InputSeries = append(test.InputSeries, promtoolSeries{withLabels(c.Series), s.Counters})
			}
		}
		touched := touches(t, alerts, test.InputSeries)
		before := make(map[string]bool)
		ever := make(map[string]bool)
		for _, e := range s.Expect {
			fire := s.expected(t, e, counters, severities)
			for alert := range severities {
				expect := promtoolAlert{EvalTime: e.At, Name: alert}
				for _, labels := range fire[alert] {
					expect.Expected = append(expect.Expected, struct {
						Labels map[string]string `yaml:"exp_labels"`
					}{labels})
				}
				test.AlertTests = append(test.AlertTests, expect)
				show := shown[alert]
				if show == nil {
					show = new(coverage)
					shown[alert] = show
				}
				now := len(fire[alert]) > 0
				show.resolves = show.resolves || before[alert] && !now
				before[alert], ever[alert] = now, ever[alert] || now
			}
		}
		for alert := range severities {
			if ever[alert] {
				fires[alert]++
				shown[alert].fires = true
			} else if touched[alert] {
				silences[alert]++
			}
		}
		// Recording rules of days take most of the time, and only alerts of service levels
		// need them.
		key, rules := fmt.Sprint(test.Interval, "-", i%2), []string{"alerts.yaml"}
		if touched["CiscoMeetingServerJoinBudgetBurn"] {
			key, rules = key+"-slo", append(rules, "recordings.yaml")
		}
		file := files[key]
		file.RuleFiles, file.EvaluationInterval = rules, test.Interval
		file.Tests = append(file.Tests, test)
		files[key] = file
	}
	runPromtool(t, promtool, files, alerts)
	for alert, show := range shown {
		assert.True(t, show.fires, "no scenario in which %s fires", alert)
		assert.True(t, show.resolves, "no scenario in which %s resolves", alert)
		assert.GreaterOrEqual(t, silences[alert], fires[alert], "%s fires in %d scenarios; as many must have its metrics and not fire", alert, fires[alert])
	}
}

// touches returns the alerts that ask for a metric of the series.
func touches(t *testing.T, alerts []Group, series []promtoolSeries) map[string]bool {
	t.Helper()
	touched := make(map[string]bool)
	for _, group := range alerts {
		for _, rule := range group.Rules {
			for _, s := range series {
				name, _, _ := strings.Cut(s.Series, "{")
				name = strings.TrimSuffix(name, "_total")
				touched[rule.Alert] = touched[rule.Alert] || strings.Contains(rule.Expr, name) ||
					strings.Contains(rule.Expr, "slo:") && strings.HasPrefix(name, "cisco_meeting_server_call_leg_")
			}
		}
	}
	return touched
}

// runPromtool plays the files against the rules without their annotations.
func runPromtool(t *testing.T, promtool string, files map[string]promtoolFile, alerts []Group) {
	t.Helper()
	directory := t.TempDir()
	write := func(name string, content []byte, err error) string {
		require.NoError(t, err)
		path := filepath.Join(directory, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	content, err := File(alerts)
	write("alerts.yaml", content, err)
	content, err = File(Recordings(DefaultConfig()))
	write("recordings.yaml", content, err)
	var group sync.WaitGroup
	for key, file := range files {
		content, err = yaml.Marshal(file)
		path := write("every-"+key+".yaml", content, err)
		group.Go(func() {
			out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput()
			assert.NoError(t, err, "%.12000s", out)
		})
	}
	group.Wait()
}
