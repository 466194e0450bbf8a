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

// inputs are what lines come from.
type inputs struct {
	files  *fileconsumer.Manager // nil without include
	syslog *lines.Inputs         // nil without syslog
	stops  []func() error        // stops what was started
}

const (
	// defaultMaxSyslogLine is the longest line by TCP, in bytes, unless max_log_size says
	// otherwise: hops and streams make long ones. Each connection has a buffer of that
	// size.
	defaultMaxSyslogLine = 1 << 20
	// defaultMaxConnections is how many TCP connections are open at once, unless
	// max_connections says otherwise.
	defaultMaxConnections = 64
)

// buildInputs makes the inputs of a configuration, which give their lines to d.
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

// start starts all inputs. offsets may be nil: then they are forgotten at a stop.
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

// stop ends the inputs. It waits for those that are in a callback.
func (i *inputs) stop() error {
	var errs error
	for _, stop := range i.stops {
		errs = errors.Join(errs, stop())
	}
	i.stops = nil
	return errs
}

// consumeSyslog takes the lines of one message. Each may have a header of its own.
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

// consumeFileLines is the callback of the file input: some lines of one file, and the offsets
// of their beginnings and of the last one's end.
func (d *delivery) consumeFileLines(ctx context.Context, tokens [][]byte, attributes map[string]any, _ int64, offsets []int64) error {
	from := origin{attributes: attributes, resource: d.resources.ofFiles(), rereadable: true}
	all := make([]rawLine, 0, len(tokens))
	for i, token := range tokens {
		all = append(all, rawLine{text: string(token), offset: offsets[i]})
	}
	return d.deliverBatch(ctx, &from, all)
}

// filePath is how the Collector's log calls the file that lines come from.
func (o *origin) filePath() string {
	for _, key := range [...]string{names.LogFilePath, names.LogFileName} {
		if name, ok := o.attributes[key].(string); ok {
			return name
		}
	}
	return ""
}
