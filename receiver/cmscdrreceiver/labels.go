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

// vocabulary is the set of documented values of an enumeration. It bounds the label values:
// received text never becomes a label.
type vocabulary map[string]string

func vocabularyOf(words ...string) vocabulary {
	v := make(vocabulary, 2*len(words))
	for _, word := range words {
		v[word] = word
		v[strings.ToLower(word)] = word
	}
	return v
}

// label returns the documented spelling of text, names.Other for other text and "" for "".
// The case of letters does not matter.
func (v vocabulary) label(text string) string {
	if text == "" {
		return ""
	}
	if word, ok := v.documentedSpelling(text); ok {
		return word
	}
	return names.Other
}

// documentedSpelling returns the documented spelling of text, in any case of letters.
func (v vocabulary) documentedSpelling(text string) (word string, documented bool) {
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

// reasonLabel returns the guide's spelling of a leg's reason, or names.Other.
func reasonLabel(text string) string {
	if text == "" {
		return ""
	}
	if known, documented := names.LegReason(text); documented {
		return known.Name
	}
	return names.Other
}

// Values of boolean labels in an optionCache.
const (
	labelFalse = "false"
	labelTrue  = "true"
)

// measurementOptions are the options of one combination of label values.
type measurementOptions struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

// optionCache builds the options of each combination of label values once, because building
// an attribute set costs more than counting. Its size is bounded, because the label values
// are.
type optionCache struct {
	keys []string

	mu      sync.RWMutex
	options map[[3]string]*measurementOptions
}

func newOptionCache(keys ...string) *optionCache {
	return &optionCache{keys: keys, options: make(map[[3]string]*measurementOptions)}
}

// The label sets of the metrics.
var (
	callTypeOptions   = newOptionCache(names.KeyCallType)
	legStartOptions   = newOptionCache(names.KeyType, names.KeySubtype, names.KeyDirection)
	legEndOptions     = newOptionCache(names.KeyReason, names.KeyRemoteTeardown, names.KeyActivated)
	reasonOptions     = newOptionCache(names.KeyReason)
	alarmOptions      = newOptionCache(names.KeyAlarmType)
	mediaTypeOptions  = newOptionCache(names.KeyMediaType)
	mediaOptions      = newOptionCache(names.KeyMediaType, names.KeyDirection, names.KeyCodec)
	encryptionOptions = newOptionCache(names.KeyState)
	qualityOptions    = newOptionCache(names.KeyState)
)

// get returns the options of label values, which are in the order of the cache's keys. An
// empty value omits its label.
func (t *optionCache) get(values ...string) *measurementOptions {
	var key [3]string
	copy(key[:], values)
	t.mu.RLock()
	o := t.options[key]
	t.mu.RUnlock()
	if o != nil {
		return o
	}
	o = t.build(key)
	t.mu.Lock()
	t.options[key] = o
	t.mu.Unlock()
	return o
}

func (t *optionCache) build(values [3]string) *measurementOptions {
	var attributes []attribute.KeyValue
	for i, key := range t.keys {
		switch {
		case values[i] == "":
		case key == names.KeyRemoteTeardown, key == names.KeyActivated:
			attributes = append(attributes, attribute.Bool(key, values[i] == labelTrue))
		default:
			attributes = append(attributes, attribute.String(key, values[i]))
		}
	}
	o := metric.WithAttributeSet(attribute.NewSet(attributes...))
	return &measurementOptions{add: []metric.AddOption{o}, record: []metric.RecordOption{o}}
}
