// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package lines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/tcp"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/input/udp"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Origin is the source of lines.
type Origin struct {
	// Peer is the address of the sender, if add_attributes is set. File is the path of a
	// file or, without it, the name.
	Peer, File string
	// Transport is udp, tcp or file.
	Transport string
	// RereadAfterRestart reports that the input reads lines that the Sink refused again
	// after a restart.
	RereadAfterRestart bool
}

// Sink accepts lines of one origin in their order. Several inputs call it concurrently. Its
// context ends when a stop begins. After an error the lines are lost, unless
// Origin.RereadAfterRestart.
type Sink func(ctx context.Context, from Origin, lines []string) error

// Config configures the inputs. UDP and TCP may be nil, and File may have no include.
type Config struct {
	UDP  *udp.BaseConfig
	TCP  *tcp.BaseConfig
	File fileconsumer.Config
}

const (
	// DefaultMaxLogSize is the longest line by TCP, in bytes. Each connection has a
	// buffer of that size.
	DefaultMaxLogSize = 64 << 10
	// DefaultMaxConnections bounds the open TCP connections.
	DefaultMaxConnections = 256
)

// Inputs are the configured inputs.
type Inputs struct {
	files     *fileconsumer.Manager // nil without include
	listeners []operator.Operator
	stopFuncs []func() error // of the started inputs
}

// Build makes the inputs, which call sink with their lines.
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
		if err := all.addListener(c.Build, set, "udp", sink); err != nil {
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
			setSplitFunc(&c.SplitFuncBuilder, newSplitFunc(int(c.MaxLogSize)))
		}
		if err := all.addListener(c.Build, set, "tcp", sink); err != nil {
			return nil, fmt.Errorf("tcp: %w", err)
		}
	}
	return all, nil
}

// setSplitFunc makes a builder always return split. The compiler infers E, the builder's
// encoding: naming its type would need another module.
func setSplitFunc[B ~func(E) (bufio.SplitFunc, error), E any](builder *B, split bufio.SplitFunc) {
	*builder = func(E) (bufio.SplitFunc, error) { return split, nil }
}

// EncodingOf returns pkg/stanza's name of an encoding. UTF-8 becomes utf-8-raw, which keeps
// invalid bytes instead of replacing them.
func EncodingOf(name string) string {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8":
		return "utf-8-raw"
	default:
		return name
	}
}

// limitLog returns settings with which each message of a listener is logged at most once a
// minute: anybody who reaches the port can cause one for each connection, for instance with a
// failed TLS handshake.
func limitLog(set component.TelemetrySettings) component.TelemetrySettings {
	set.Logger = set.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
	}))
	return set
}

func (i *Inputs) addListener(build func(component.TelemetrySettings) (operator.Operator, error), set component.TelemetrySettings, transport string, sink Sink) error {
	set = limitLog(set)
	listener, err := build(set)
	if err != nil {
		return err
	}
	output, err := helper.NewOutputConfig("lines_"+transport, "lines").Build(set)
	if err != nil {
		return err
	}
	to := &networkSink{OutputOperator: output, transport: transport, sink: sink}
	listener.SetOutputIDs([]string{to.ID()})
	i.listeners = append(i.listeners, listener)
	return listener.SetOutputs([]operator.Operator{to})
}

// Start starts all inputs. Without offsets (nil) a stop forgets the positions in files.
func (i *Inputs) Start(offsets *Offsets) error {
	for _, listener := range i.listeners {
		if err := listener.Start(nil); err != nil {
			return err
		}
		i.stopFuncs = append(i.stopFuncs, listener.Stop)
	}
	if i.files == nil {
		return nil
	}
	i.stopFuncs = append(i.stopFuncs, i.files.Stop)
	if offsets == nil {
		return i.files.Start(nil)
	}
	return i.files.Start(offsets)
}

// Stop stops the inputs and waits for their calls of the sink. It may be called without
// Start.
func (i *Inputs) Stop() error {
	var errs error
	for _, stop := range i.stopFuncs {
		errs = errors.Join(errs, stop())
	}
	i.stopFuncs = nil
	return errs
}

// fileSink returns the callback of the file input, which gets lines of one file.
func fileSink(sink Sink) func(context.Context, [][]byte, map[string]any, int64, []int64) error {
	return func(ctx context.Context, tokens [][]byte, attributes map[string]any, _ int64, _ []int64) error {
		from := Origin{Transport: "file", RereadAfterRestart: true}
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

// networkSink is the operator that gets the messages of a listener.
type networkSink struct {
	helper.OutputOperator
	transport string
	sink      Sink
}

// ProcessBatch implements operator.Operator.
func (s *networkSink) ProcessBatch(ctx context.Context, entries []*entry.Entry) error {
	for _, e := range entries {
		if err := s.Process(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// Process implements operator.Operator. A message may be several lines, because a counted
// frame may contain line ends.
func (s *networkSink) Process(ctx context.Context, e *entry.Entry) error {
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
