// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package ocmsreceiver

import (
	"context"
	"errors"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"go.opentelemetry.io/collector/component"

	"github.com/legato-otel/legato/internal/names"
	"github.com/legato-otel/legato/internal/ocms"
)

// inputs are what lines come from.
type inputs struct {
	files     *fileconsumer.Manager // nil without include
	listeners []operator.Operator
	running   []func() error // stops what was started
}

// buildInputs makes the inputs of a configuration, which give their lines to d.
func buildInputs(config *Config, set component.TelemetrySettings, d *delivery) (*inputs, error) {
	all := new(inputs)
	var err error
	if len(config.File.Include) > 0 {
		if all.files, err = config.fileConfig().Build(set, d.emit); err != nil {
			return nil, err
		}
	}
	if !config.Syslog.HasValue() {
		return all, nil
	}
	sink, err := newSink(set, d)
	if err != nil {
		return nil, err
	}
	syslog := config.Syslog.Get()
	if syslog.UDP != nil {
		c := udp.NewConfig()
		c.BaseConfig, c.OutputIDs = *syslog.UDP, []string{sink.ID()}
		c.Encoding = encodingOf(c.Encoding)
		if err := all.listen(c.Build, set, sink); err != nil {
			return nil, fmt.Errorf("syslog::udp: %w", err)
		}
	}
	if syslog.TCP != nil {
		c := tcp.NewConfig()
		c.BaseConfig, c.OutputIDs = *syslog.TCP, []string{sink.ID()}
		c.Encoding = encodingOf(c.Encoding)
		if err := all.listen(c.Build, set, sink); err != nil {
			return nil, fmt.Errorf("syslog::tcp: %w", err)
		}
	}
	return all, nil
}

func (i *inputs) listen(build func(component.TelemetrySettings) (operator.Operator, error), set component.TelemetrySettings, to *sink) error {
	listener, err := build(set)
	if err != nil {
		return err
	}
	i.listeners = append(i.listeners, listener)
	return listener.SetOutputs([]operator.Operator{to})
}

// start starts all inputs. offsets may be nil: then they are forgotten at a stop.
func (i *inputs) start(offsets operator.Persister) error {
	for _, listener := range i.listeners {
		if err := listener.Start(nil); err != nil {
			return fmt.Errorf("syslog: %w", err)
		}
		i.running = append(i.running, listener.Stop)
	}
	if i.files == nil {
		return nil
	}
	i.running = append(i.running, i.files.Stop)
	return i.files.Start(offsets)
}

// stop ends the inputs. It waits for those that are in a callback.
func (i *inputs) stop() error {
	var errs error
	for _, stop := range i.running {
		errs = errors.Join(errs, stop())
	}
	i.running = nil
	return errs
}

// emit is the callback of the file input: some lines of one file, and the offsets
// of their beginnings and of the last one's end.
func (d *delivery) emit(ctx context.Context, tokens [][]byte, attributes map[string]any, _ int64, offsets []int64) error {
	from := origin{attributes: attributes, resource: d.resources.file(), again: true}
	lines := make([]line, 0, len(tokens))
	for i, token := range tokens {
		lines = append(lines, line{text: string(token), offset: offsets[i]})
	}
	return d.accept(ctx, &from, lines)
}

// sink is the operator behind the listeners.
type sink struct {
	helper.OutputOperator
	delivery *delivery
}

func newSink(set component.TelemetrySettings, d *delivery) (*sink, error) {
	output, err := helper.NewOutputConfig("ocms", "ocms").Build(set)
	if err != nil {
		return nil, err
	}
	return &sink{OutputOperator: output, delivery: d}, nil
}

// ProcessBatch takes messages.
func (s *sink) ProcessBatch(ctx context.Context, entries []*entry.Entry) error {
	for _, e := range entries {
		if err := s.Process(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Process takes one message.
func (s *sink) Process(ctx context.Context, e *entry.Entry) error {
	text, ok := e.Body.(string)
	if !ok {
		return fmt.Errorf("a message is %T, not text", e.Body)
	}
	header, text := ocms.CutSyslogHeader(text)
	from := origin{resource: s.delivery.resources.sender(header.Host, peerOf(e))}
	return s.delivery.accept(ctx, &from, []line{{text: text}})
}

// peerOf returns the address that a message came from, if add_attributes is set.
func peerOf(e *entry.Entry) string {
	for _, key := range [...]string{"net.peer.ip", "network.peer.address"} {
		if address, ok := e.Attributes[key].(string); ok {
			return address
		}
	}
	return ""
}

// fileName is how the Collector's log calls the file that lines come from.
func (o *origin) fileName() string {
	for _, key := range [...]string{names.LogFilePath, names.LogFileName} {
		if name, ok := o.attributes[key].(string); ok {
			return name
		}
	}
	return ""
}
