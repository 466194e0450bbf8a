// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package cmscdrreceiver

import (
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/legato-otel/legato/internal/names"
)

// vocabulary is the documented set of an enumeration. It is what keeps wire
// text from making time series.
type vocabulary map[string]string

func vocabularyOf(words ...string) vocabulary {
	v := make(vocabulary, 2*len(words))
	for _, word := range words {
		v[word] = word
		v[strings.ToLower(word)] = word
	}
	return v
}

// bound returns the documented spelling of text, in any case of letters,
// names.Other for what is not documented and "" for "".
func (v vocabulary) bound(text string) string {
	if text == "" {
		return ""
	}
	if word, ok := v.spelling(text); ok {
		return word
	}
	return names.Other
}

// spelling returns the documented spelling of text, in any case of letters.
func (v vocabulary) spelling(text string) (word string, documented bool) {
	if word, documented = v[text]; !documented && text != "" {
		word, documented = v[strings.ToLower(text)]
	}
	return word, documented
}

// The enumerations of the guide's section 4.
var (
	callTypes  = vocabularyOf("coSpace", "adHoc", "lyncConferencing", "forwarding")
	legTypes   = vocabularyOf("sip", "acano")
	subTypes   = vocabularyOf("lync", "avaya", "lyncDistribution", "webApp", "distributionLink")
	directions = vocabularyOf("incoming", "outgoing")
	alarmTypes = vocabularyOf("packetLoss", "excessiveJitter", "highRoundTripTime")
	codecs     = vocabularyOf(
		"g711u", "g711a", "g722", "g728", "g729", "g722_1", "g722_1c", "aac", "speexNb", "speexWb", "speexUwb",
		"isacWb", "isacSwb", "opus", "h261", "h263", "h263+", "h264", "h264Lync", "vp8", "rtVideo",
	)
)

// boundReason returns the guide's spelling of a leg's reason, or names.Other.
func boundReason(text string) string {
	if text == "" {
		return ""
	}
	if known, documented := names.LegReason(text); documented {
		return known.Name
	}
	return names.Other
}

// Values of boolean labels in an optionTable.
const (
	isFalseText = "false"
	isTrueText  = "true"
)

// options are the measurement options of one combination of label values.
type options struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

// optionTable makes the options of label values once: building an attribute
// set costs more than counting. It is bounded because the values are.
type optionTable struct {
	keys []string

	mu   sync.RWMutex
	made map[[3]string]*options
}

func optionsFor(keys ...string) *optionTable {
	return &optionTable{keys: keys, made: make(map[[3]string]*options)}
}

// The label sets of the metrics.
var (
	callTypeOptions   = optionsFor(names.KeyCallType)
	legStartOptions   = optionsFor(names.KeyType, names.KeySubtype, names.KeyDirection)
	legEndOptions     = optionsFor(names.KeyReason, names.KeyRemoteTeardown, names.KeyActivated)
	reasonOptions     = optionsFor(names.KeyReason)
	alarmOptions      = optionsFor(names.KeyAlarmType)
	mediaTypeOptions  = optionsFor(names.KeyMediaType)
	mediaOptions      = optionsFor(names.KeyMediaType, names.KeyDirection, names.KeyCodec)
	encryptionOptions = optionsFor(names.KeyState)
	qualityOptions    = optionsFor(names.KeyState)
)

// of returns the options of values, in the order of the table's keys. An empty
// value leaves its label out.
func (t *optionTable) of(values ...string) *options {
	var key [3]string
	copy(key[:], values)
	t.mu.RLock()
	o := t.made[key]
	t.mu.RUnlock()
	if o != nil {
		return o
	}
	o = t.make(key)
	t.mu.Lock()
	t.made[key] = o
	t.mu.Unlock()
	return o
}

func (t *optionTable) make(values [3]string) *options {
	var attributes []attribute.KeyValue
	for i, key := range t.keys {
		switch {
		case values[i] == "":
		case key == names.KeyRemoteTeardown, key == names.KeyActivated:
			attributes = append(attributes, attribute.Bool(key, values[i] == isTrueText))
		default:
			attributes = append(attributes, attribute.String(key, values[i]))
		}
	}
	o := metric.WithAttributeSet(attribute.NewSet(attributes...))
	return &options{add: []metric.AddOption{o}, record: []metric.RecordOption{o}}
}
