// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"regexp"
	"time"

	"github.com/prometheus/common/model"
)

// rangeOrOffset finds the times of an expression: ranges, resolutions and offsets.
var rangeOrOffset = regexp.MustCompile(`(\[|:|offset )(\d+[smhd])`)

// scaled multiplies all times of the rules with c.TimeScale.
func (c Config) scaled(groups []Group) []Group {
	if c.TimeScale == 1 {
		return groups
	}
	for _, group := range groups {
		for i := range group.Rules {
			rule := &group.Rules[i]
			rule.For, rule.KeepFiringFor = c.scale(rule.For), c.scale(rule.KeepFiringFor)
			rule.Expr = rangeOrOffset.ReplaceAllStringFunc(rule.Expr, func(match string) string {
				parts := rangeOrOffset.FindStringSubmatch(match)
				return parts[1] + c.scale(parts[2])
			})
		}
	}
	return groups
}

// scale returns a time that was multiplied, a second at least: Prometheus knows no
// shorter interval between samples in practice.
func (c Config) scale(text string) string {
	if text == "" {
		return ""
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return text // checked by a test of all rules
	}
	scaled := time.Duration(float64(d) * c.TimeScale).Round(time.Second)
	return model.Duration(max(scaled, time.Second)).String()
}
