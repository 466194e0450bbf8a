// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

// jobs of workers.
var jobs = map[string]func(ctx context.Context, s setup) (job, error){
	"logs":     beginLogs,
	"spans":    beginSpans,
	"stalls":   beginStalls,
	"pipeline": beginPipeline,
	"traces":   beginTraces,
	"events":   beginEvents,
	"syslog":   beginSyslog,
}
