// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"strings"
)

// bridge returns the labels of a Call Bridge or another server, and more.
func (c Config) bridge(more ...string) string {
	return strings.Join(append([]string{c.ClusterLabel, c.BridgeLabel}, more...), ", ")
}

// collector returns the labels of a Collector, and more.
func (c Config) collector(more ...string) string {
	return strings.Join(append(append([]string{c.ClusterLabel}, c.SelfLabels...), more...), ", ")
}

// metric returns the selector of a pipeline metric.
func (c Config) metric(name string, matchers ...string) string {
	return name + braces(append(matchers, c.Selector))
}

// Suffixes of a Collector's own metrics. Whether it adds them depends on its reader in
// service.telemetry.metrics, so that selectors match both.
const (
	noSuffix      = ""
	totalSuffix   = "_total"
	secondsSuffix = "_seconds"
)

// own returns the selector of a Collector's own metric.
func (c Config) own(name, suffix string, matchers ...string) string {
	matchers = append(matchers, c.SelfSelector)
	if suffix == noSuffix {
		return name + braces(matchers)
	}
	return braces(append([]string{fmt.Sprintf(`__name__=~"%s(%s)?"`, name, suffix)}, matchers...))
}

func braces(matchers []string) string {
	var set []string
	for _, matcher := range matchers {
		if matcher != "" {
			set = append(set, matcher)
		}
	}
	if len(set) == 0 {
		return ""
	}
	return "{" + strings.Join(set, ", ") + "}"
}

// rises returns that a counter rose by more than limit in a window. increase() does
// not see the value that a series begins with: a counter that is born at 3, or that
// comes back after an outage longer than the window, counts with its whole value.
func rises(labels, series, window string, limit int) string {
	return fmt.Sprintf(`sum by (%[1]s) (increase(%[2]s[%[3]s])) > %[4]d
  or
sum by (%[1]s) (%[2]s unless %[2]s offset %[3]s) > %[4]d`, labels, series, window, limit)
}

// sumIncrease returns the increase of a counter in a window, by labels.
func sumIncrease(labels, series, window string) string {
	return fmt.Sprintf("sum by (%s) (increase(%s[%s]))", labels, series, window)
}

// counted returns the template of the value as a whole number, and of the noun that it counts:
// one is the noun after 1, many after any other number.
func counted(one, many string) string {
	const number = `printf "%.0f"`
	return "{{ $value | " + number + " }} {{ if eq (" + number + ` $value) "1" }}` + one + "{{ else }}" + many + "{{ end }}"
}

// label returns the template of a label's value.
func label(name string) string { return "{{ $labels." + name + " }}" }

// ofBridge returns the words for the server of an alert.
func (c Config) ofBridge() string { return label(c.BridgeLabel) + c.inCluster() }

// inCluster returns words for the cluster of an alert, if it has one.
func (c Config) inCluster() string {
	return fmt.Sprintf("{{ with $labels.%s }} of cluster {{ . }}{{ end }}", c.ClusterLabel)
}

// ofCollector returns the words for the Collector of an alert.
func (c Config) ofCollector() string {
	var all []string
	for _, name := range c.SelfLabels {
		all = append(all, label(name))
	}
	return "Collector " + strings.Join(all, " ")
}
