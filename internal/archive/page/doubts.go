// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"context"

	"github.com/legato-otel/legato/internal/archive/store"
)

// doubt says why a running meeting or leg may have ended: records of its bridge were lost.
type doubt struct {
	At      localTime
	Missing int64
}

func doubtOf(d store.Doubt) *doubt {
	if d.At.IsZero() {
		return nil
	}
	return &doubt{localTime{d.At}, d.Missing}
}

// countDoubts sets how many running meetings and legs are doubtful.
func (p *listPage) countDoubts(ctx context.Context, v *store.View) (err error) {
	if !p.ShowRunning {
		return nil
	}
	p.Doubts, err = v.Doubts(ctx)
	p.Doubt = doubtOf(p.Doubts.Newest)
	return err
}
