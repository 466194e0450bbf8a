// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

// Package catalogue knows every metric of every component. It reads metadata.yaml, from which
// code is generated, and the tables in the READMEs, which a test of each component compares
// with its instruments. There is no second list of names.
package catalogue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"
	"go.yaml.in/yaml/v3"
)

// Metric of a component.
type Metric struct {
	Name string
	// Component is the type of the component, as cmscdr.
	Component string
	Kind      Kind
	Unit      string
	// Labels by their names in Prometheus.
	Labels []Label
	// Own tells a Collector's own metric from one of a pipeline.
	Own bool
}

// Label of a metric. Values is nil where the set is not fixed.
type Label struct {
	Name   string
	Values []string
}

// Kind of a metric.
type Kind string

// Kinds as the READMEs call them.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Load reads the catalogue from the root of the repository.
func Load(root string) ([]Metric, error) {
	var all []Metric
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "metadata.yaml"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		component, described, err := fromMetadata(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, described...)
		tabled, err := fromTable(filepath.Join(filepath.Dir(file), "README.md"), component)
		if err != nil {
			return nil, err
		}
		all = append(all, tabled...)
	}
	return all, nil
}

type metadata struct {
	Type       string
	Attributes map[string]struct {
		NameOverride string `yaml:"name_override"`
		Enum         []string
	}
	Metrics   map[string]description
	Telemetry struct{ Metrics map[string]description }
}

type description struct {
	Unit       string
	Attributes []string
	Gauge      *struct{}
	Histogram  *struct{}
	Sum        *struct{ Monotonic bool }
}

// fromMetadata also returns the type of the component, as configurations name it.
func fromMetadata(file string) (component string, all []Metric, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	var read metadata
	if err := yaml.Unmarshal(content, &read); err != nil {
		return "", nil, err
	}
	if read.Type == "" {
		return "", nil, errors.New("no type")
	}
	add := func(metrics map[string]description, own bool) {
		for name, d := range metrics {
			m := Metric{Name: name, Component: read.Type, Unit: d.Unit, Own: own, Kind: Gauge}
			switch {
			case d.Histogram != nil:
				m.Kind = Histogram
			case d.Sum != nil && d.Sum.Monotonic:
				m.Kind = Counter
			}
			for _, key := range d.Attributes {
				attribute := read.Attributes[key]
				if attribute.NameOverride != "" {
					key = attribute.NameOverride
				}
				m.Labels = append(m.Labels, Label{labelName(key), attribute.Enum})
			}
			all = append(all, m)
		}
	}
	add(read.Metrics, false)
	add(read.Telemetry.Metrics, true)
	return read.Type, all, nil
}

var (
	table = regexp.MustCompile(`(?s)<!-- metrics table -->(.*?)<!-- end metrics table -->`)
	row   = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\w+) \\| `([^`]*)` \\| ([^|]*) \\|")
	code  = regexp.MustCompile("`([^`]+)`")
)

func fromTable(file, component string) ([]Metric, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []Metric
	for _, block := range table.FindAllStringSubmatch(string(content), -1) {
		for _, cells := range row.FindAllStringSubmatch(block[1], -1) {
			m := Metric{Name: cells[1], Component: component, Kind: Kind(cells[2]), Unit: cells[3]}
			for _, name := range code.FindAllStringSubmatch(cells[4], -1) {
				m.Labels = append(m.Labels, Label{Name: labelName(name[1])})
			}
			all = append(all, m)
		}
	}
	return all, nil
}

func labelName(key string) string {
	return strings.NewReplacer(".", "_", "-", "_").Replace(key)
}

// Series returns the names that Prometheus has for a metric: those of the Prometheus
// exporter for one of a pipeline, and those with every suffix that the reader in
// service.telemetry.metrics may add for a Collector's own.
func (m Metric) Series() ([]string, error) {
	if !m.Own {
		name, err := m.exported()
		if err != nil || m.Kind != Histogram {
			return []string{name}, err
		}
		return []string{name + "_bucket", name + "_sum", name + "_count"}, nil
	}
	bases := []string{"otelcol_" + labelName(m.Name)}
	if m.Unit == "s" {
		bases = append(bases, bases[0]+"_seconds")
	}
	var all []string
	for _, base := range bases {
		switch m.Kind {
		case Counter:
			all = append(all, base, base+"_total")
		case Histogram:
			all = append(all, base+"_bucket", base+"_sum", base+"_count")
		default:
			all = append(all, base)
		}
	}
	return all, nil
}

// exported returns the name that the Prometheus exporter makes, with its own library.
func (m Metric) exported() (string, error) {
	kind := map[Kind]otlptranslator.MetricType{
		Counter: otlptranslator.MetricTypeMonotonicCounter, Gauge: otlptranslator.MetricTypeGauge, Histogram: otlptranslator.MetricTypeHistogram,
	}[m.Kind]
	namer := otlptranslator.MetricNamer{WithMetricSuffixes: true}
	return namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
}

// Foreign are series of others that the rules need, with their labels.
var Foreign = map[string][]string{
	// Prometheus: whether a target could be scraped.
	"up": nil,
	// exporterhelper: the data that waits for a backend.
	"otelcol_exporter_queue_size":     {"exporter", "data_type"},
	"otelcol_exporter_queue_capacity": {"exporter", "data_type"},
	// Prometheus writes it for every alert.
	"ALERTS": {"alertname", "alertstate", "severity"},
}

// Index finds metrics by the names that Prometheus has for them.
func Index(all []Metric) (map[string]Metric, error) {
	index := make(map[string]Metric)
	for _, m := range all {
		names, err := m.Series()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		for _, name := range names {
			if known, found := index[name]; found {
				// Two components have some metrics in common: one of them has no label that the
				// other has.
				for _, l := range known.Labels {
					if !slices.ContainsFunc(m.Labels, func(other Label) bool { return other.Name == l.Name }) {
						m.Labels = append(m.Labels, l)
					}
				}
			}
			index[name] = m
		}
	}
	return index, nil
}
