// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"encoding/json"
	"strings"
)

// vmuiColumns is the width of a page of vmui; Grafana has 24 columns.
const vmuiColumns = 12

// vmuiBoard is a dashboard as VictoriaMetrics reads it (-vmui.customDashboardsPath).
type vmuiBoard struct {
	Title string    `json:"title"`
	Rows  []vmuiRow `json:"rows"`
}

type vmuiRow struct {
	Title  string      `json:"title"`
	Panels []vmuiPanel `json:"panels"`
}

type vmuiPanel struct {
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Unit        string   `json:"unit,omitempty"`
	Expr        []string `json:"expr"`
	Alias       []string `json:"alias"`
	ShowLegend  bool     `json:"showLegend"`
	Width       uint32   `json:"width"`
}

// withoutVariables replaces the variables of Grafana, which vmui does not have: all clusters,
// bridges and Collectors, over fixed windows.
var withoutVariables = strings.NewReplacer(rateWindow, "5m", "$__range", "6h", varCluster, ".*", varBridge, ".*", varJob, ".*")

// vmuiUnits are Grafana's units as text behind a value.
var vmuiUnits = map[string]string{"s": "s", "cps": "/s", "reqps": "/s", "bps": "bit/s", "bytes": "B", "d": "d"}

// VMUI returns the dashboard as vmui, the page of VictoriaMetrics, shows it. It is nil for one
// that asks for no metrics.
func (b Board) VMUI() ([]byte, error) {
	made := vmuiBoard{Title: b.Title}
	for _, row := range b.Rows {
		to := vmuiRow{Title: row.Title}
		for _, p := range row.Panels {
			if p.kind != series && p.kind != number {
				continue
			}
			panel := vmuiPanel{Title: p.Title, Description: p.Description, Unit: vmuiUnits[p.Unit], ShowLegend: true, Width: vmuiColumns / 2}
			for _, q := range p.Queries {
				panel.Expr = append(panel.Expr, withoutVariables.Replace(q.Expr))
				panel.Alias = append(panel.Alias, q.Legend)
			}
			to.Panels = append(to.Panels, panel)
		}
		if len(to.Panels) > 0 {
			made.Rows = append(made.Rows, to)
		}
	}
	if len(made.Rows) == 0 {
		return nil, nil
	}
	content, err := json.MarshalIndent(made, "", "  ")
	return append(content, '\n'), err
}
