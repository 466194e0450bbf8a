// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"sync"

	"go.uber.org/zap"

	"github.com/legato-otel/legato/internal/ingest/outbox"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/otel/limitedlog"
)

// maxXMLFiles is the largest number of XML files that are reported.
const maxXMLFiles = 1024

// limitedLog is the receiver's log: each message at most once a minute, and one warning for
// each file in XML.
type limitedLog struct {
	*limitedlog.Logger
	unlimited *zap.Logger

	mu       sync.Mutex      // guards xmlFiles
	xmlFiles map[string]bool // files in XML that were reported
}

func newLimitedLog(logger *zap.Logger) *limitedLog {
	return &limitedLog{Logger: limitedlog.New(logger), unlimited: logger}
}

// markXMLFile reports whether a file has not been reported before.
func (l *limitedLog) markXMLFile(file string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.xmlFiles == nil {
		l.xmlFiles = make(map[string]bool)
	}
	if l.xmlFiles[file] || len(l.xmlFiles) >= maxXMLFiles {
		return false
	}
	l.xmlFiles[file] = true
	return true
}

// warnAboutXML logs one warning for each file in XML.
func (d *delivery) warnAboutXML(in *batch) {
	for i := range in.lines {
		if in.lines[i].kind != isXML {
			continue
		}
		if file := in.origin.filePath(); d.logger.markXMLFile(file) {
			d.logger.unlimited.Warn("This file is the XML of java.util.logging, as OCMS 10g R3 writes it; its lines are kept as they are. Configure Log4j's BasicLayout for the event log",
				zap.String("file", file))
		}
		return
	}
}

// warnAboutMalformed logs the new lines of a piece that are no event. The decoder's reasons
// contain no text of a line.
func (d *delivery) warnAboutMalformed(in *batch, p *outbox.Chunk) {
	if p.Lost || p.QuarantineReason != nil {
		return // deliverOnce has logged it
	}
	count := 0
	var first *batchLine
	for i := p.From; i < p.To; i++ {
		part := &in.lines[i]
		if part.kind != isMalformed || part.duplicate {
			continue
		}
		if count++; first == nil {
			first = part
		}
	}
	if first == nil {
		return
	}
	fields := []zap.Field{zap.Int("lines", count), zap.String("outcome", "malformed"), zap.String(names.ErrorType, errorMalformed), zap.Error(first.err)}
	if file := in.origin.filePath(); file != "" {
		fields = append(fields, zap.String("file", file), zap.Int64("offset", first.offset))
	}
	d.logger.Warn("Line is no event; the logs pipeline gets its bytes as record.malformed", fields...)
}
