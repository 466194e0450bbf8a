// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// replicaLabel is the label by which docs/redundancy.md tells the series of two
// Collectors apart that watch the same bridges.
const replicaLabel = "replica"

// keepsReplica reports whether the result of an expression can have the label of the
// replica of a series of meetings. Series of recording rules are results of such
// expressions themselves, and those of the Collector are of one Collector.
func keepsReplica(t *testing.T, expr parser.Expr) bool {
	t.Helper()
	switch e := expr.(type) {
	case *parser.NumberLiteral, *parser.StringLiteral:
		return false
	case *parser.ParenExpr:
		return keepsReplica(t, e.Expr)
	case *parser.UnaryExpr:
		return keepsReplica(t, e.Expr)
	case *parser.SubqueryExpr:
		return keepsReplica(t, e.Expr)
	case *parser.MatrixSelector:
		return keepsReplica(t, e.VectorSelector)
	case *parser.VectorSelector:
		return !strings.Contains(e.Name, ":") && !strings.Contains(e.String(), "otelcol_")
	case *parser.AggregateExpr:
		if e.Op == parser.TOPK || e.Op == parser.BOTTOMK {
			return keepsReplica(t, e.Expr)
		}
		return e.Without != slices.Contains(e.Grouping, replicaLabel) && keepsReplica(t, e.Expr)
	case *parser.Call:
		if e.Func.Name == "absent" || e.Func.Name == "absent_over_time" {
			return false
		}
		return slices.ContainsFunc(e.Args, func(arg parser.Expr) bool { return keepsReplica(t, arg) })
	case *parser.BinaryExpr:
		left, right := keepsReplica(t, e.LHS), keepsReplica(t, e.RHS)
		m := e.VectorMatching
		switch {
		case m == nil || e.Op == parser.LOR:
			return left || right
		case e.Op.IsSetOperator() || m.Card == parser.CardManyToOne:
			return left
		case m.Card == parser.CardOneToMany:
			return right
		case m.On:
			return slices.Contains(m.MatchingLabels, replicaLabel) && left
		default:
			return left && !slices.Contains(m.MatchingLabels, replicaLabel)
		}
	default:
		require.Fail(t, "an expression of a kind that is not known here", "%T", expr)
		return false
	}
}

// Two Collectors that watch the same bridges ring each alert once: no alert has the
// label by which their series differ, but for those that docs/redundancy.md names.
func TestReplicas(t *testing.T) {
	var doubled []string
	for _, group := range slices.Concat(Alerts(DefaultConfig()), Recordings(DefaultConfig())) {
		for _, rule := range group.Rules {
			parsed, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
			require.NoError(t, err)
			if name := rule.Alert + rule.Record; keepsReplica(t, parsed) && !slices.Contains(doubled, name) {
				doubled = append(doubled, name)
			}
		}
	}
	assert.Equal(t, []string{"CiscoMeetingServerRecordsIncomplete"}, doubled, "docs/redundancy.md names the alerts that have the label of a replica")
}

func TestKeepsReplica(t *testing.T) {
	f := func(want bool, text string) {
		t.Helper()
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		require.NoError(t, err)
		assert.Equal(t, want, keepsReplica(t, parsed), text)
	}
	f(true, "cisco_x > 1")
	f(true, "rate(cisco_x[5m])")
	f(true, "sum without (a) (cisco_x)")
	f(true, "sum by (replica) (cisco_x)")
	f(true, "topk(3, cisco_x)")
	f(true, "cisco_x unless on (a) cisco_y")
	f(true, "cisco_x * on (a) group_left () cisco_y")
	f(true, "sum by (a) (cisco_x) or cisco_y")
	f(false, "sum by (a) (cisco_x)")
	f(false, "sum without (replica) (cisco_x)")
	f(false, "cisco_x > on (a) cisco_y")
	f(false, "cisco_y * on (a) group_right () sum by (a) (cisco_x)")
	f(false, `{__name__=~"otelcol_x(_total)?"} > 1`)
	f(false, "slo:x:y > 1")
	f(false, "absent(cisco_x)")
}
