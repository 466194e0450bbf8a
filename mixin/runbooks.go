// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// index of the runbooks, beside the page of each alert.
const index = "README.md"

// Runbooks returns the pages of a directory as they are for the alerts: people write
// them, and their sections between markers, with summary and query, follow the rules. It
// is an error if an alert has no page or a page has no alert.
func Runbooks(directory string, groups []Group) (map[string]string, error) {
	rules := make(map[string][]Rule)
	var names []string
	for _, group := range groups {
		for _, rule := range group.Rules {
			if rules[rule.Alert] == nil {
				names = append(names, rule.Alert)
			}
			rules[rule.Alert] = append(rules[rule.Alert], rule)
		}
	}
	if err := haveAlerts(directory, rules); err != nil {
		return nil, err
	}
	pages := make(map[string]string)
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(directory, name+".md"))
		if err != nil {
			return nil, fmt.Errorf("the alert %s needs a runbook: %w", name, err)
		}
		page, err := fill(string(content), "summary", summary(rules[name]))
		if err == nil {
			page, err = fill(page, "alert", queries(rules[name]))
		}
		if err != nil {
			return nil, fmt.Errorf("%s.md: %w", name, err)
		}
		pages[name+".md"] = page
	}
	pages[index] = indexOf(names, rules)
	return pages, nil
}

// haveAlerts checks that each page of the directory is that of an alert.
func haveAlerts(directory string, rules map[string][]Rule) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := strings.TrimSuffix(entry.Name(), ".md"); entry.Name() != index && rules[name] == nil {
			return fmt.Errorf("the runbook %s is of no alert", entry.Name())
		}
	}
	return nil
}

// fill replaces a section between its markers.
func fill(page, section, content string) (string, error) {
	begin, end := "<!-- "+section+" -->\n", "<!-- end "+section+" -->"
	before, rest, found := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("no section %s", section)
	}
	return before + begin + content + end + after, nil
}

func severities(rules []Rule) string {
	var all []string
	for _, rule := range rules {
		if severity := rule.Labels["severity"]; !slices.Contains(all, severity) {
			all = append(all, severity)
		}
	}
	return strings.Join(all, ", ")
}

func summary(rules []Rule) string {
	return fmt.Sprintf("\n%s. Severity: %s.\n\n", rules[0].Annotations["summary"], severities(rules))
}

func queries(rules []Rule) string {
	var text strings.Builder
	for _, rule := range rules {
		when := "As soon as this is true"
		if rule.For != "" {
			when = "After " + rule.For + " in which this is true"
		}
		fmt.Fprintf(&text, "\n%s, with severity `%s`:\n\n```promql\n%s\n```\n", when, rule.Labels["severity"], rule.Expr)
	}
	return text.String() + "\n"
}

func indexOf(names []string, rules map[string][]Rule) string {
	var text strings.Builder
	text.WriteString(`# Runbooks

A page for each alert of [mixin/](../../mixin/README.md): what it means, its query, what to do, and how to see that it is over. The annotation ` + "`runbook_url`" + `
of an alert leads to its page. Paths such as ` + "`/legs?since=1h`" + ` are those of the page of the call archive, ` + "`http://localhost:8088`" + ` by default; paths
under ` + "`/api/v1`" + ` are those of the API of the Call Bridge that the alert names, *menus* those of its web admin interface, MMP its command line.

| alert | severity | summary |
|---|---|---|
`)
	for _, name := range names {
		fmt.Fprintf(&text, "| [%[1]s](%[1]s.md) | %s | %s |\n", name, severities(rules[name]), rules[name][0].Annotations["summary"])
	}
	return text.String()
}
