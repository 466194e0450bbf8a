// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/store"
)

// staleQuality is the age from which what a bridge said of a running leg is not called
// now any more. cmsapi looks at each leg of a large bridge every few minutes.
const staleQuality = 15 * time.Minute

// qualityText says how the media of a running leg are: "now: loss 4.5 %, jitter 31 ms".
// It is "" if that is not known, or was long ago.
func qualityText(all map[string]store.LegQuality, id string, now moment) string {
	q, known := all[id]
	if !known || now.Sub(q.At) > staleQuality {
		return ""
	}
	var parts []string
	if q.LossPercent != nil {
		parts = append(parts, fmt.Sprintf("loss %.1f %%", *q.LossPercent))
	}
	if q.JitterMs != nil {
		parts = append(parts, fmt.Sprintf("jitter %.0f ms", *q.JitterMs))
	}
	if q.RoundTripMs != nil {
		parts = append(parts, fmt.Sprintf("round trip %.0f ms", *q.RoundTripMs))
	}
	if len(parts) == 0 {
		return ""
	}
	return "now: " + strings.Join(parts, ", ")
}
