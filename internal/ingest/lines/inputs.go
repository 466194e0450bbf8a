// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"go.opentelemetry.io/collector/component"
)

// Origin is where lines come from.
type Origin struct {
	// Peer is the address of the sender, known if add_attributes is set. File is the
	// path or else the name of a file.
	Peer, File string
	// Transport is udp, tcp or file.
	Transport string
	// Again tells that lines that are not taken are read again after a restart.
	Again bool
}

// Sink takes lines of one origin in their order. It is called by several inputs at
// once. Its context ends when a stop begins. An error leaves the lines: they are lost,
// unless Origin.Again.
type Sink func(ctx context.Context, from Origin, lines []string) error

// Config says where lines come from. UDP and TCP may be nil, and File without include.
type Config struct {
	UDP  *udp.BaseConfig
	TCP  *tcp.BaseConfig
	File fileconsumer.Config
}

const (
	// DefaultMaxLogSize is the longest line by TCP, in bytes. Each connection has a
	// buffer of that size.
	DefaultMaxLogSize = 64 << 10
	// DefaultMaxConnections is how many TCP connections are open at once.
	DefaultMaxConnections = 256
)

// Inputs are what lines come from.
type Inputs struct {
	files     *fileconsumer.Manager // nil without include
	listeners []operator.Operator
	running   []func() error // stops what was started
}

// Build makes the inputs, which give their lines to sink.
func Build(config *Config, set component.TelemetrySettings, sink Sink) (*Inputs, error) {
	all := new(Inputs)
	if len(config.File.Include) > 0 {
		file := config.File
		file.Encoding = EncodingOf(file.Encoding)
		var err error
		if all.files, err = file.Build(set, fileSink(sink)); err != nil {
			return nil, err
		}
	}
	if config.UDP != nil {
		c := udp.NewConfig()
		c.BaseConfig = *config.UDP
		c.Encoding = EncodingOf(c.Encoding)
		if err := all.listen(c.Build, set, "udp", sink); err != nil {
			return nil, fmt.Errorf("udp: %w", err)
		}
	}
	if config.TCP != nil {
		c := tcp.NewConfig()
		c.BaseConfig = *config.TCP
		c.Encoding = EncodingOf(c.Encoding)
		if c.MaxLogSize == 0 {
			c.MaxLogSize = DefaultMaxLogSize
		}
		if c.MaxConnections == 0 {
			c.MaxConnections = DefaultMaxConnections
		}
		if c.SplitConfig.LineStartPattern == "" && c.SplitConfig.LineEndPattern == "" {
			setSplit(&c.SplitFuncBuilder, splitter(int(c.MaxLogSize)))
		}
		if err := all.listen(c.Build, set, "tcp", sink); err != nil {
			return nil, fmt.Errorf("tcp: %w", err)
		}
	}
	return all, nil
}

// setSplit makes a builder always return split. The encoding E, which the builder is
// given, is left to inference: naming its type would need another module.
func setSplit[B ~func(E) (bufio.SplitFunc, error), E any](builder *B, split bufio.SplitFunc) {
	*builder = func(E) (bufio.SplitFunc, error) { return split, nil }
}

// EncodingOf returns the name that pkg/stanza has for an encoding. Its utf-8 puts a
// replacement character in the place of invalid bytes, which are kept here.
func EncodingOf(name string) string {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8":
		return "utf-8-raw"
	default:
		return name
	}
}

func (i *Inputs) listen(build func(component.TelemetrySettings) (operator.Operator, error), set component.TelemetrySettings, transport string, sink Sink) error {
	listener, err := build(set)
	if err != nil {
		return err
	}
	output, err := helper.NewOutputConfig("lines_"+transport, "lines").Build(set)
	if err != nil {
		return err
	}
	to := &wireSink{OutputOperator: output, transport: transport, sink: sink}
	listener.SetOutputIDs([]string{to.ID()})
	i.listeners = append(i.listeners, listener)
	return listener.SetOutputs([]operator.Operator{to})
}

// Start starts all inputs. offsets may be nil: then they are forgotten at a stop.
func (i *Inputs) Start(offsets *Offsets) error {
	for _, listener := range i.listeners {
		if err := listener.Start(nil); err != nil {
			return err
		}
		i.running = append(i.running, listener.Stop)
	}
	if i.files == nil {
		return nil
	}
	i.running = append(i.running, i.files.Stop)
	if offsets == nil {
		return i.files.Start(nil)
	}
	return i.files.Start(offsets)
}

// Stop ends the inputs. It waits for those that are in the sink. It may come without
// Start.
func (i *Inputs) Stop() error {
	var errs error
	for _, stop := range i.running {
		errs = errors.Join(errs, stop())
	}
	i.running = nil
	return errs
}

// fileSink is the callback of the file input: some lines of one file.
func fileSink(sink Sink) func(context.Context, [][]byte, map[string]any, int64, []int64) error {
	return func(ctx context.Context, tokens [][]byte, attributes map[string]any, _ int64, _ []int64) error {
		from := Origin{Transport: "file", Again: true}
		for _, key := range [...]string{"log.file.path", "log.file.name"} {
			if name, ok := attributes[key].(string); ok && from.File == "" {
				from.File = name
			}
		}
		all := make([]string, len(tokens))
		for i, token := range tokens {
			all[i] = string(token)
		}
		return sink(ctx, from, all)
	}
}

// wireSink is the operator behind a listener.
type wireSink struct {
	helper.OutputOperator
	transport string
	sink      Sink
}

// ProcessBatch takes messages.
func (s *wireSink) ProcessBatch(ctx context.Context, entries []*entry.Entry) error {
	for _, e := range entries {
		if err := s.Process(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Process takes one message, which may be several lines: a counted frame may hold line
// ends.
func (s *wireSink) Process(ctx context.Context, e *entry.Entry) error {
	defer entry.Put(e)
	text, ok := e.Body.(string)
	if !ok {
		return fmt.Errorf("a message is %T, not text", e.Body)
	}
	from := Origin{Transport: s.transport}
	for _, key := range [...]string{"net.peer.ip", "network.peer.address"} {
		if address, ok := e.Attributes[key].(string); ok {
			from.Peer = address
		}
	}
	if strings.IndexByte(text, '\n') < 0 {
		return s.sink(ctx, from, []string{text})
	}
	return s.sink(ctx, from, strings.Split(text, "\n"))
}
