// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"go.opentelemetry.io/collector/component"

	"github.com/legato-otel/legato/internal/ingest/lines"
	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/ocms"
)

// inputs are the sources of lines.
type inputs struct {
	files  *fileconsumer.Manager // nil without include
	syslog *lines.Inputs         // nil without syslog
	stops  []func() error        // of the started inputs
}

const (
	// defaultMaxSyslogLine is the default of max_log_size of TCP, in bytes: lines with many
	// hops and streams are long. Each connection has a buffer of that size.
	defaultMaxSyslogLine = 1 << 20
	// defaultMaxConnections is the default of max_connections of TCP.
	defaultMaxConnections = 64
)

// buildInputs creates the configured inputs, which pass their lines to d.
func buildInputs(config *Config, set component.TelemetrySettings, d *delivery) (*inputs, error) {
	all := new(inputs)
	var err error
	if len(config.File.Include) > 0 {
		if all.files, err = config.fileConfig().Build(set, d.consumeFileLines); err != nil {
			return nil, err
		}
	}
	if !config.Syslog.HasValue() {
		return all, nil
	}
	syslog := config.Syslog.Get()
	listeners := lines.Config{UDP: syslog.UDP}
	if syslog.TCP != nil {
		tcp := *syslog.TCP
		tcp.MaxLogSize = cmp.Or(tcp.MaxLogSize, defaultMaxSyslogLine)
		tcp.MaxConnections = cmp.Or(tcp.MaxConnections, defaultMaxConnections)
		listeners.TCP = &tcp
	}
	if all.syslog, err = lines.Build(&listeners, set, d.consumeSyslog); err != nil {
		return nil, fmt.Errorf("syslog::%w", err)
	}
	return all, nil
}

// start starts all inputs. Without a persister, offsets are lost at a stop.
func (i *inputs) start(offsets operator.Persister) error {
	if i.syslog != nil {
		i.stops = append(i.stops, i.syslog.Stop)
		if err := i.syslog.Start(nil); err != nil {
			return fmt.Errorf("syslog: %w", err)
		}
	}
	if i.files == nil {
		return nil
	}
	i.stops = append(i.stops, i.files.Stop)
	return i.files.Start(offsets)
}

// stop stops the inputs. It waits for callbacks to return.
func (i *inputs) stop() error {
	var errs error
	for _, stop := range i.stops {
		errs = errors.Join(errs, stop())
	}
	i.stops = nil
	return errs
}

// consumeSyslog delivers the lines of one message. Each may have a header of its own.
func (d *delivery) consumeSyslog(ctx context.Context, sender lines.Origin, texts []string) error {
	for _, text := range texts {
		header, text := ocms.CutSyslogHeader(text)
		from := origin{resource: d.resources.ofSyslog(header.Host, sender.Peer)}
		if err := d.deliverBatch(ctx, &from, []rawLine{{text: text}}); err != nil {
			return err
		}
	}
	return nil
}

// consumeFileLines is the callback of the file input. It gets lines of one file, the
// offsets of their beginnings, and the offset of the end of the last one.
func (d *delivery) consumeFileLines(ctx context.Context, tokens [][]byte, attributes map[string]any, _ int64, offsets []int64) error {
	from := origin{attributes: attributes, resource: d.resources.ofFiles(), rereadable: true}
	all := make([]rawLine, 0, len(tokens))
	for i, token := range tokens {
		// The bytes between two offsets are a line and its end. The input passes on a
		// line without an end if no more of it comes, or if it is too long.
		hasEnd := offsets[i+1]-offsets[i] > int64(len(token))
		all = append(all, rawLine{text: string(token), offset: offsets[i], unfinished: d.seesLineEnds && !hasEnd})
	}
	return d.deliverBatch(ctx, &from, all)
}

// filePath returns the path of the file for the Collector's log, or its name.
func (o *origin) filePath() string {
	for _, key := range [...]string{names.LogFilePath, names.LogFileName} {
		if name, ok := o.attributes[key].(string); ok {
			return name
		}
	}
	return ""
}
