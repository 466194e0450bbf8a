// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/syslogreceiver"

	"github.com/legato-otel/legato/receiver/cmssyslogreceiver"
)

// The kinds of receivers of syslog.
const (
	syslogOurs    = "cmssyslog"
	syslogContrib = "syslog (RFC 3164)"
)

// beginSyslog receives lines by TCP and counts the records that it makes of them.
func beginSyslog(ctx context.Context, s setup) (job, error) {
	factory, settings := cmssyslogreceiver.NewFactory(), map[string]any{"tcp": map[string]any{"listen_address": s.Address}}
	if s.Kind == syslogContrib {
		factory, settings["protocol"] = syslogreceiver.NewFactory(), "rfc3164"
	}
	into := new(counter)
	receive, err := startReceiver(ctx, factory, settings, into, nil)
	return &countingJob{&into.records, receive.Shutdown}, err
}
