// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"encoding/json"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// Board is a dashboard before it is one of Grafana's.
type Board struct {
	UID, Title, Description string
	Rows                    []Row
	// own: the board is about Collectors; its variable is job and not cluster and bridge.
	own bool
	// trace: the board asks for a trace id, and has a store of traces and one of logs.
	trace bool
}

// Row of panels under a heading.
type Row struct {
	Title  string
	Panels []Panel
}

// Panel of a dashboard.
type Panel struct {
	Title, Description string
	// Unit as Grafana calls it.
	Unit    string
	Queries []Query
	kind    panelKind
	width   uint32 // of 24
}

// Query of a panel. Legend is a template of labels.
type Query struct{ Expr, Legend string }

type panelKind uint8

const (
	series panelKind = iota
	number
	traceView
	logLines
)

// Variables of dashboards, as they stand in queries.
const (
	varCluster = "$cluster"
	varBridge  = "$bridge"
	varJob     = "$job"
	rateWindow = "$__rate_interval"
)

// of returns the selector of a pipeline metric for the chosen clusters and bridges.
func (c Config) of(name string, matchers ...string) string {
	return c.metric(name, append(matchers, c.ClusterLabel+`=~"`+varCluster+`"`, c.BridgeLabel+`=~"`+varBridge+`"`)...)
}

// ofCluster returns it for metrics whose servers are no bridges.
func (c Config) ofCluster(name string) string {
	return c.metric(name, c.ClusterLabel+`=~"`+varCluster+`"`)
}

// ofJob returns the selector of a Collector's own metric for the chosen jobs.
func (c Config) ofJob(name, suffix string) string {
	return c.own(name, suffix, `job=~"`+varJob+`"`)
}

// bucketOfJob returns the selector of the buckets of a Collector's own histogram of
// seconds.
func (c Config) bucketOfJob(name string) string {
	return braces([]string{`__name__=~"` + name + `(_seconds)?_bucket"`, c.SelfSelector, `job=~"` + varJob + `"`})
}

// JSON returns the dashboard as Grafana imports it.
func (b Board) JSON(c Config) ([]byte, error) {
	//nolint:staticcheck // version 2 of the format needs Grafana 12; all releases import this one
	builder := dashboard.NewDashboardBuilder(b.Title).Uid(b.UID).Description(b.Description).
		Tags([]string{"legato", "cisco-meeting-server"}).Time("now-6h", "now").Refresh("1m").Timezone(common.TimeZoneBrowser).
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Metrics").Type("prometheus"))
	for _, v := range b.variables(c) {
		builder = builder.WithVariable(v)
	}
	for _, row := range b.Rows {
		builder = builder.WithRow(dashboard.NewRowBuilder(row.Title))
		for _, p := range row.Panels {
			builder = builder.WithPanel(p.build())
		}
	}
	made, err := builder.Build()
	if err != nil {
		return nil, err
	}
	content, err := json.MarshalIndent(made, "", "  ")
	return append(content, '\n'), err
}

func (b Board) variables(c Config) []cog.Builder[dashboard.VariableModel] {
	values := func(name, label, query string) cog.Builder[dashboard.VariableModel] {
		all, any := ".*", "All"
		return dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(metricsSource()).
			Query(dashboard.StringOrMap{String: &query}).Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
			Multi(true).IncludeAll(true).AllValue(all).
			Current(dashboard.VariableOption{Text: dashboard.StringOrArrayOfString{String: &any}, Value: dashboard.StringOrArrayOfString{String: new("$__all")}})
	}
	switch {
	case b.trace:
		return []cog.Builder[dashboard.VariableModel]{
			dashboard.NewDatasourceVariableBuilder("traces").Label("Traces").Type("tempo"),
			dashboard.NewDatasourceVariableBuilder("logs").Label("Logs").Type("loki"),
			dashboard.NewTextBoxVariableBuilder("trace").Label("Trace id").
				Description("Of the meeting: the page of the call archive shows it, and callid prints it for the GUID of a call."),
		}
	case b.own:
		return []cog.Builder[dashboard.VariableModel]{values("job", "Job", "label_values(otelcol_processor_callstitch_open_objects, job)")}
	default:
		return []cog.Builder[dashboard.VariableModel]{
			values("cluster", "Cluster", "label_values("+legStarted+", "+c.ClusterLabel+")"),
			values("bridge", "Bridge", "label_values("+legStarted+`{`+c.ClusterLabel+`=~"$cluster"}, `+c.BridgeLabel+")"),
		}
	}
}

func source(kind, variable string) common.DataSourceRef {
	return common.DataSourceRef{Type: &kind, Uid: &variable}
}

func metricsSource() common.DataSourceRef { return source("prometheus", "${datasource}") }

func (p Panel) build() cog.Builder[dashboard.Panel] {
	width := p.width
	if width == 0 {
		width = 12
	}
	targets := make([]cog.Builder[variants.Dataquery], 0, len(p.Queries))
	for i, q := range p.Queries {
		targets = append(targets, prometheus.NewDataqueryBuilder().Expr(q.Expr).LegendFormat(q.Legend).RefId(string(rune('A'+i))).Exemplar(p.kind == series))
	}
	switch p.kind {
	case number:
		return stat.NewPanelBuilder().Title(p.Title).Description(p.Description).Unit(p.Unit).Span(width).Height(4).Datasource(metricsSource()).Targets(targets)
	case traceView:
		return dashboard.NewPanelBuilder().Type("traces").Title(p.Title).Description(p.Description).Span(24).Height(16).Datasource(source("tempo", "${traces}")).
			WithTarget(tempo.NewDataqueryBuilder().RefId("A").QueryType("traceql").Query(p.Queries[0].Expr))
	case logLines:
		return logs.NewPanelBuilder().Title(p.Title).Description(p.Description).Span(24).Height(12).Datasource(source("loki", "${logs}")).
			WithTarget(loki.NewDataqueryBuilder().RefId("A").Expr(p.Queries[0].Expr))
	default:
		return timeseries.NewPanelBuilder().Title(p.Title).Description(p.Description).Unit(p.Unit).Min(0).Span(width).Height(8).FillOpacity(10).
			Datasource(metricsSource()).Targets(targets)
	}
}
