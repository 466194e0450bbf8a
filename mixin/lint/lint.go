// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package lint holds PromQL expressions against the catalogue of metrics, and against
// the faults that mixins are known for: series that do not exist, label values that
// never occur, aggregations and matches that lose the cluster.
package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/legato-otel/legato/mixin/catalogue"
)

// Linter checks expressions.
type Linter struct {
	// Index has the metrics by their names in Prometheus.
	Index map[string]catalogue.Metric
	// Recorded are the names of recording rules, with their labels.
	Recorded map[string][]string
	// Resource are labels that any series can have: of the resource or the target.
	Resource []string
	// ClusterLabel is kept by every aggregation and match.
	ClusterLabel string
}

// Check returns the faults of an expression.
func (l *Linter) Check(expression string) []string {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			problems = append(problems, l.selector(n)...)
		case *parser.AggregateExpr:
			problems = append(problems, l.aggregation(n)...)
		case *parser.BinaryExpr:
			problems = append(problems, l.match(n)...)
		}
		return nil
	})
	return problems
}

// Series returns the selectors of an expression, as text.
func Series(expression string) ([]string, error) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, matchers := range parser.ExtractSelectors(parsed) {
		var parts []string
		for _, m := range matchers {
			parts = append(parts, m.String())
		}
		all = append(all, "{"+strings.Join(parts, ",")+"}")
	}
	return all, nil
}

func (l *Linter) selector(selector *parser.VectorSelector) (problems []string) {
	found := l.names(selector)
	if len(found) == 0 {
		return []string{"no metric is called as in " + selector.String()}
	}
	for _, m := range selector.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			continue
		}
		values, known := l.values(found, m.Name)
		switch {
		case !known:
			problems = append(problems, fmt.Sprintf("%s: no label %s", selector, m.Name))
		case values != nil && (m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp) && !slices.ContainsFunc(values, m.Matches):
			problems = append(problems, fmt.Sprintf("%s: %s has no such value", selector, m.Name))
		}
	}
	return problems
}

// names returns the metrics that a selector selects.
func (l *Linter) names(selector *parser.VectorSelector) []string {
	var found []string
	for _, m := range selector.LabelMatchers {
		if m.Name != model.MetricNameLabel {
			continue
		}
		for name := range l.Index {
			if m.Matches(name) {
				found = append(found, name)
			}
		}
		for name := range l.Recorded {
			if m.Matches(name) {
				found = append(found, name)
			}
		}
		for name := range catalogue.Foreign {
			if m.Matches(name) {
				found = append(found, name)
			}
		}
	}
	return found
}

// values returns the values that a label of the metrics can have, nil if the set is
// not fixed, and whether any of the metrics has the label.
func (l *Linter) values(metrics []string, label string) (values []string, known bool) {
	if label == "le" || slices.Contains(l.Resource, label) {
		return nil, true
	}
	for _, name := range metrics {
		for _, has := range l.Index[name].Labels {
			if has.Name == label {
				return has.Values, true
			}
		}
		if slices.Contains(l.Recorded[name], label) || slices.Contains(catalogue.Foreign[name], label) {
			return nil, true
		}
	}
	return nil, false
}

// aggregation checks that labels exist and that the cluster is kept.
func (l *Linter) aggregation(a *parser.AggregateExpr) (problems []string) {
	if a.Without {
		if slices.Contains(a.Grouping, l.ClusterLabel) {
			return []string{a.String() + ": loses the cluster"}
		}
		return nil
	}
	if a.Op == parser.TOPK || a.Op == parser.BOTTOMK {
		return nil // all labels are kept
	}
	if !slices.Contains(a.Grouping, l.ClusterLabel) {
		problems = append(problems, a.String()+": loses the cluster")
	}
	var metrics []string
	parser.Inspect(a.Expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			metrics = append(metrics, l.names(selector)...)
		}
		return nil
	})
	for _, label := range a.Grouping {
		if _, known := l.values(metrics, label); !known {
			problems = append(problems, a.String()+": no label "+label)
		}
	}
	return problems
}

// match checks that vectors are not matched across clusters.
func (l *Linter) match(b *parser.BinaryExpr) []string {
	m := b.VectorMatching
	if m == nil {
		return nil
	}
	if has := slices.Contains(m.MatchingLabels, l.ClusterLabel); m.On != has {
		return []string{b.String() + ": matches across clusters"}
	}
	return nil
}
