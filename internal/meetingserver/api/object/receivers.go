// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

import "cmp"

// CDRReceiver is an entry of /system/cdrReceivers.
type CDRReceiver struct {
	ID string
	// URI is "" for an entry that takes a place and posts nowhere.
	URI string
	// Shown tells that the server says what the URI is, though it may be "": some
	// lists have ids alone.
	Shown bool
}

// CDRReceivers is /system/cdrReceivers.
type CDRReceivers struct {
	// Total is how many entries there are, empty ones included.
	Total int
	// Maximum is how many there can be; absent if the server does not say.
	Maximum   *int64
	Receivers []CDRReceiver
}

// wireReceiver is a receiver as servers write it: the reference calls the URI uri
// in its tables and url in its prose, and so do servers.
type wireReceiver struct {
	id, uri, url string
	shown        bool
}

func (w *wireReceiver) fields() fields {
	shown := func(keep func(string)) func(string) {
		return func(s string) {
			w.shown = true
			keep(s)
		}
	}
	return fields{"id": text(&w.id), "uri": shown(text(&w.uri)), "url": shown(text(&w.url))}
}

func (w *wireReceiver) receiver() CDRReceiver {
	return CDRReceiver{ID: w.id, URI: cmp.Or(w.uri, w.url), Shown: w.shown}
}

// DecodeCDRReceiver reads /system/cdrReceivers/ID, and /system/cdrReceiver of
// servers before R1.8.
func DecodeCDRReceiver(body []byte) (CDRReceiver, error) {
	var w wireReceiver
	err := decode(body, "cdrReceiver", w.fields())
	return w.receiver(), err
}

// DecodeCDRReceivers reads /system/cdrReceivers.
func DecodeCDRReceivers(body []byte) (r CDRReceivers, err error) {
	page, err := decodePage(body, "cdrReceivers", "cdrReceiver", (*wireReceiver).fields)
	if err != nil {
		return r, err
	}
	r.Total = page.Total
	for i := range page.Items {
		r.Receivers = append(r.Receivers, page.Items[i].receiver())
	}
	err = decode(body, "cdrReceivers", fields{"maximum": count(&r.Maximum)})
	return r, err
}

const (
	// maxReasons and maxReason bound what is kept of an error, in reasons and in
	// bytes of each.
	maxReasons = 8
	maxReason  = 64
)

// Reasons reads <failureDetails> of an error, which is optional and may hold
// several. It returns none for anything else.
func Reasons(body []byte) (reasons []string) {
	err := scanNames(body, "failureDetails", func(name string) {
		if len(reasons) < maxReasons {
			reasons = append(reasons, clip(name, maxReason))
		}
	})
	if err != nil {
		return nil
	}
	return reasons
}
