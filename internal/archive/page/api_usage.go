// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

func apiRunning(ctx context.Context, r *apiRequest) (any, error) {
	running, err := r.view.Running(ctx)
	return map[string]int64{"meetings": running.Conferences, "legs": running.Legs, "recordings": running.Recordings, "sessions": running.Sessions}, err
}

// rangeOf returns the requested time range, one of those of the overview.
func (r *apiRequest) rangeOf() (overviewRange, error) {
	text := r.http.URL.Query().Get(paramRange)
	if text == "" {
		return ranges[0], nil
	}
	for _, of := range ranges {
		if of.Value == text {
			return of, nil
		}
	}
	r.form.Errors[paramRange] = "must be 24h, 7d, 30d or 90d"
	return overviewRange{}, errParameter
}

func (h *handler) apiOverview(ctx context.Context, r *apiRequest) (any, error) {
	of, err := r.rangeOf()
	if err != nil {
		return nil, err
	}
	o, err := h.overview.get(ctx, r.view, of, r.now)
	return struct {
		From    time.Time      `json:"from"`
		To      time.Time      `json:"to"`
		Step    float64        `json:"step_seconds"`
		Buckets []store.Bucket `json:"buckets"`
		Ends    []store.End    `json:"ends"`
	}{o.From, o.To, o.Step.Seconds(), o.Buckets, o.Ends}, err
}

func apiUsage(ctx context.Context, r *apiRequest) (any, error) {
	of, err := r.rangeOf()
	if err != nil {
		return nil, err
	}
	f := store.UsageFilter{Scope: store.UsageAll, Step: time.Hour, To: r.now}
	if of.span > 8*24*time.Hour {
		f.Step = 24 * time.Hour
	}
	f.From = truncate(r.now.Add(-of.span), f.Step)
	if text := r.form.Value(paramScope); text != "" {
		scope, value, _ := strings.Cut(text, ":")
		if scope != store.UsageBridge && scope != store.UsageTenant || value == "" {
			r.form.Errors[paramScope] = "must be bridge: or tenant: and an id"
			return nil, errParameter
		}
		f.Scope, f.Value = scope, value
	}
	steps, err := r.view.Usage(ctx, f)
	return struct {
		Step float64           `json:"step_seconds"`
		Data []store.UsageHour `json:"data"`
	}{f.Step.Seconds(), steps}, err
}

func apiTags(ctx context.Context, r *apiRequest) (any, error) {
	month, err := monthOf(r.form.Value(paramMonth), r.now)
	if err != nil {
		r.form.Errors[paramMonth] = err.Error()
		return nil, errParameter
	}
	tags, more, err := r.view.TagUsage(ctx, month, month.AddDate(0, 1, 0), mostTags)
	if tags == nil {
		tags = []store.TagUsage{}
	}
	return struct {
		Month string           `json:"month"`
		Data  []store.TagUsage `json:"data"`
		More  bool             `json:"more"`
	}{month.Format(monthForm), tags, more}, err
}
