// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync/atomic"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/syslogreceiver"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/legato-otel/legato/receiver/cmssyslogreceiver"
)

// The kinds of receivers of syslog.
const (
	syslogOurs    = "cmssyslog"
	syslogContrib = "syslog (RFC 3164)"
)

// syslogJob receives lines by TCP and counts the records that it makes of them.
type syslogJob struct {
	took *atomic.Int64
	end  func(context.Context) error
}

func beginSyslog(ctx context.Context, s setup) (job, error) {
	factory, settings := cmssyslogreceiver.NewFactory(), map[string]any{"tcp": map[string]any{"listen_address": s.Address}}
	if s.Kind == syslogContrib {
		factory, settings["protocol"] = syslogreceiver.NewFactory(), "rfc3164"
	}
	into := new(counter)
	receive, err := create(ctx, factory, settings, into, nil)
	if err != nil {
		return nil, err
	}
	return &syslogJob{&into.records, receive.Shutdown}, receive.Start(ctx, componenttest.NewNopHost())
}

func (j *syslogJob) do(ctx context.Context, o order) (a answer, err error) {
	if o.Do == "delivered" {
		return a, await(ctx, "records", j.took, int64(o.Count), patience)
	}
	a.Delivered = j.took.Load()
	a.Used, err = cpuTime()
	return a, err
}

func (j *syslogJob) close(ctx context.Context) error { return j.end(ctx) }
