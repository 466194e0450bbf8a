// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"strconv"
)

// Recording rules of service levels have Sloth's names, so that its dashboards show
// them. Sloth: https://sloth.dev.
const (
	sliRatio    = "slo:sli_error:ratio_rate"
	sliEvents   = "slo:sli_events:increase"
	slothWindow = "sloth_window"
)

// windows of the error ratios. 30d is made of the 5m ratios, as Sloth does.
var windows = []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"}

// serviceLevel is an objective with the counters that it is about.
type serviceLevel struct {
	id, slo, alert string
	Objective
	bad, all         func(window string) string
	summary, subject string
}

func (s serviceLevel) labels() map[string]string {
	return map[string]string{"sloth_id": s.id, "sloth_service": "cisco-meeting-server", "sloth_slo": s.slo}
}

// serviceLevels returns the objectives, both per cluster.
//
// Joins are divided by legs that started, not by legs that ended: long meetings would
// set the failures of now against attempts of hours ago. Scanners are no joins.
func (c Config) serviceLevels() []serviceLevel {
	increase := func(name string, matchers ...string) func(string) string {
		return func(window string) string { return sumIncrease(c.ClusterLabel, c.metric(name, matchers...), window) }
	}
	started, scans := increase(legStarted), increase(legEnded, `reason="unknownDestination"`)
	const quality = "cisco_meeting_server_call_leg_quality_total"
	return []serviceLevel{
		{
			id: "cisco-meeting-server-joins", slo: "joins", alert: "CiscoMeetingServerJoinBudgetBurn", Objective: c.Joins,
			bad: increase(legEnded, `activated="false"`, failedReasons),
			all: func(window string) string {
				return fmt.Sprintf("(%s - (%s or 0 * %s))", started(window), scans(window), started(window))
			},
			summary: "Too many people cannot join", subject: "joins fail",
		},
		{
			id: "cisco-meeting-server-quality", slo: "quality", alert: "CiscoMeetingServerQualityBudgetBurn", Objective: c.Quality,
			bad: increase(quality, `state="bad"`), all: increase(quality),
			summary: "Too many people have bad audio or video", subject: "connections are bad",
		},
	}
}

// objectiveGroups returns the recording rules of service levels.
func (c Config) objectiveGroups() []Group {
	var groups []Group
	for _, s := range c.serviceLevels() {
		errors := Group{Name: "sloth-slo-sli-recordings-" + s.id}
		for _, window := range windows {
			labels := s.labels()
			labels[slothWindow] = window
			errors.Rules = append(errors.Rules,
				Rule{Record: sliRatio + window, Labels: labels, Expr: fmt.Sprintf("%s\n  /\n(%s > 0)", s.bad(window), s.all(window))},
				Rule{Record: sliEvents + window, Labels: labels, Expr: s.all(window)})
		}
		labels := s.labels()
		labels[slothWindow] = "30d"
		errors.Rules = append(errors.Rules, Rule{Record: sliRatio + "30d", Labels: labels, Expr: fmt.Sprintf(
			"sum_over_time(%[1]s5m{sloth_id=%[2]q}[30d]) / ignoring (sloth_window) count_over_time(%[1]s5m{sloth_id=%[2]q}[30d])", sliRatio, s.id)})
		groups = append(groups, errors, Group{Name: "sloth-slo-meta-recordings-" + s.id, Rules: c.budget(s)})
	}
	return groups
}

// budget returns the recorded series that Sloth's dashboards show of an objective.
func (c Config) budget(s serviceLevel) []Rule {
	ratio := func(window string) string { return fmt.Sprintf("%s%s{sloth_id=%q}", sliRatio, window, s.id) }
	errorBudget := strconv.FormatFloat(s.budget(), 'g', 6, 64)
	record := func(name, expr string) Rule { return Rule{Record: name, Expr: expr, Labels: s.labels()} }
	return []Rule{
		record("slo:objective:ratio", fmt.Sprintf("vector(%g)", s.Target/100)),
		record("slo:error_budget:ratio", "vector("+errorBudget+")"),
		record("slo:time_period:days", "vector(30)"),
		record("slo:current_burn_rate:ratio", fmt.Sprintf("max by (%s) (%s) / %s", c.ClusterLabel, ratio("5m"), errorBudget)),
		record("slo:period_burn_rate:ratio", fmt.Sprintf("max by (%s) (%s) / %s", c.ClusterLabel, ratio("30d"), errorBudget)),
		record("slo:period_error_budget_remaining:ratio", fmt.Sprintf("1 - max by (%s) (%s) / %s", c.ClusterLabel, ratio("30d"), errorBudget)),
	}
}

// budget returns the ratio of errors that the objective allows.
func (o Objective) budget() float64 { return (100 - o.Target) / 100 }

// burnWindows are those of the SRE workbook and of kubernetes-mixin: the long window
// says that much of a month's budget is gone, the short one that it still goes.
var burnWindows = []struct {
	severity, pending, long, short string
	factor                         float64
}{
	{critical, "2m", "1h", "5m", 14.4},
	{critical, "15m", "6h", "30m", 6},
	{warning, "1h", "1d", "2h", 3},
	{warning, "3h", "3d", "6h", 1},
}

// burnAlerts returns the alerts of service levels. Each window must have events enough:
// of 20 joins 2 bad ones are 10 %, and would wake somebody in every quiet hour.
func (c Config) burnAlerts() []Rule {
	var rules []Rule
	for _, s := range c.serviceLevels() {
		for _, w := range burnWindows {
			over := func(window string) string {
				return fmt.Sprintf("max by (%s) (%s%s{sloth_id=%q}) > %s", c.ClusterLabel, sliRatio, window, s.id, strconv.FormatFloat(w.factor*s.budget(), 'g', 6, 64))
			}
			enough := func(window string) string {
				return fmt.Sprintf("max by (%s) (%s%s{sloth_id=%q}) >= %d", c.ClusterLabel, sliEvents, window, s.id, s.MinEvents)
			}
			rule := alert(s.alert, w.severity, w.pending,
				fmt.Sprintf("%[1]s\n  and on (%[5]s)\n%[2]s\n  and on (%[5]s)\n%[3]s\n  and on (%[5]s)\n%[4]s", over(w.long), over(w.short), enough(w.long), enough(w.short), c.ClusterLabel),
				s.summary,
				fmt.Sprintf("{{ $value | humanizePercentage }} of %s%s in %s; the objective allows %g %%.", s.subject, c.inCluster(), w.long, 100-s.Target))
			rule.Labels["long_window"], rule.Labels["short_window"] = w.long, w.short
			rules = append(rules, rule)
		}
	}
	return rules
}

// rates are recorded because dashboards of a day ask for them again and again.
func (c Config) rates() []Rule {
	record := func(name, labels, series string) Rule {
		return Rule{Record: name, Expr: fmt.Sprintf("sum by (%s) (rate(%s[5m]))", labels, series)}
	}
	return []Rule{
		record("cluster:cisco_meeting_server_call_leg_started:rate5m", c.ClusterLabel, c.metric(legStarted)),
		record("cluster_reason_activated:cisco_meeting_server_call_leg_ended:rate5m", c.ClusterLabel+", reason, activated", c.metric(legEnded)),
		record("cluster_state:cisco_meeting_server_call_leg_quality:rate5m", c.ClusterLabel+", state", c.metric("cisco_meeting_server_call_leg_quality_total")),
	}
}
