// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"

	"github.com/legato-otel/legato/internal/testkit/loopback"
)

// pipelineJob is the cmscdr receiver before a processor that has legs open.
type pipelineJob struct {
	*logsJob
	address string
	receive components
}

func beginPipeline(ctx context.Context, s setup) (job, error) {
	s.Callers = connections // each connection is a bridge with legs of its own
	logs, err := newLogsJob(ctx, s)
	if err != nil {
		return nil, err
	}
	j := &pipelineJob{logsJob: logs}
	if j.address, err = loopback.Address(); err != nil {
		return nil, err
	}
	factory, settings := cmscdr(j.address)
	j.receive, err = startReceiver(ctx, factory, settings, logs.processor, nil)
	return j, err
}

func (j *pipelineJob) do(ctx context.Context, o order) (a answer, err error) {
	switch o.Do {
	case "address":
		return answer{Address: j.address}, nil
	case "report":
		return reportOf(&j.into.passed)
	case "stitched":
		// What the connections ended must have come out.
		if j.setup.Kind != callstitch {
			return a, nil
		}
		if err := await(ctx, "stitched records", &j.into.stitched, int64(o.Count), patience); err != nil {
			return a, err
		}
		if j.setup.Spans {
			if err := await(ctx, "spans", &j.into.spans, int64(o.Count), patience); err != nil {
				return a, err
			}
		}
		return a, await(ctx, "complete ones", &j.into.whole, int64(o.Count), 0)
	default:
		return j.logsJob.do(ctx, o)
	}
}

func (j *pipelineJob) close(ctx context.Context) error {
	return errors.Join(j.receive.Shutdown(ctx), j.logsJob.close(ctx))
}
