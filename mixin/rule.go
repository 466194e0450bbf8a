// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Group of rules, evaluated one after the other.
type Group struct {
	Name string `yaml:"name"`
	// Interval between evaluations, "" for Prometheus' own.
	Interval string `yaml:"interval,omitempty"`
	Rules    []Rule `yaml:"rules"`
}

// Rule is an alert or a recording rule.
type Rule struct {
	Alert         string            `yaml:"alert,omitempty"`
	Record        string            `yaml:"record,omitempty"`
	Expr          string            `yaml:"expr"`
	For           string            `yaml:"for,omitempty"`
	KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// Severities: critical wakes somebody, warning is read in the morning, info is context.
const (
	critical = "critical"
	warning  = "warning"
	info     = "info"
)

// Alerts returns the groups of alerts.
func Alerts(c Config) []Group {
	groups := []Group{
		{Name: "cisco-meeting-server-records", Rules: c.recordAlerts()},
		{Name: "cisco-meeting-server-calls", Rules: c.callAlerts()},
		{Name: "cisco-meeting-server-live", Rules: c.liveAlerts()},
		{Name: "cisco-meeting-server-bridges", Rules: c.bridgeAlerts()},
		{Name: "cisco-meeting-server-slo", Rules: c.burnAlerts()},
		{Name: "cisco-mediasense", Rules: c.mediaSenseAlerts()},
		{Name: "oracle-ocms", Rules: c.sipAlerts()},
		{Name: "legato-pipeline", Rules: c.pipelineAlerts()},
	}
	for _, group := range groups {
		for _, rule := range group.Rules {
			rule.Annotations["runbook_url"] = c.RunbookURL + rule.Alert + ".md"
		}
	}
	return c.scaled(groups)
}

// Recordings returns the groups of recording rules.
func Recordings(c Config) []Group {
	return c.scaled(slices.Concat(c.objectiveGroups(), []Group{{Name: "cisco-meeting-server-rates", Rules: c.rates()}}))
}

// alert returns an alert. The summary is static, so that notifications can be
// grouped by it; the description has the value and the labels.
func alert(name, severity, pending, expr, summary, description string) Rule {
	return Rule{
		Alert: name, Expr: expr, For: pending, Labels: map[string]string{"severity": severity},
		Annotations: map[string]string{"summary": summary, "description": description},
	}
}

// File renders groups as a file of rules.
func File(groups []Group) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("# Made by mixin/cmd/mixin (make generate). Change the sources in mixin/, not this file.\n")
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(map[string]any{"groups": groups}); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}
