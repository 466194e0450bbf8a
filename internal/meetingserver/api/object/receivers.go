// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

import "cmp"

// CDRReceiver is an entry of /system/cdrReceivers.
type CDRReceiver struct {
	ID string
	// URI is "" for an empty entry, to which nothing is posted.
	URI string
	// Shown is true if the answer contains the URI, which may be "": some lists have
	// only ids.
	Shown bool
}

// CDRReceivers is /system/cdrReceivers.
type CDRReceivers struct {
	// Total is the number of entries, empty ones included.
	Total int
	// Maximum is the largest number of entries, nil if unknown.
	Maximum   *int64
	Receivers []CDRReceiver
}

// wireReceiver is a receiver in an answer: servers write the URI as uri or url, because the
// reference uses both names.
type wireReceiver struct {
	id, uri, url string
	shown        bool
}

func (w *wireReceiver) setters() setters {
	shown := func(keep func(string)) func(string) {
		return func(s string) {
			w.shown = true
			keep(s)
		}
	}
	return setters{"id": setText(&w.id), "uri": shown(setText(&w.uri)), "url": shown(setText(&w.url))}
}

func (w *wireReceiver) receiver() CDRReceiver {
	return CDRReceiver{ID: w.id, URI: cmp.Or(w.uri, w.url), Shown: w.shown}
}

// DecodeCDRReceiver reads /system/cdrReceivers/ID, and /system/cdrReceiver of
// servers before R1.8.
func DecodeCDRReceiver(body []byte) (CDRReceiver, error) {
	var w wireReceiver
	err := decode(body, "cdrReceiver", w.setters())
	return w.receiver(), err
}

// DecodeCDRReceivers reads /system/cdrReceivers.
func DecodeCDRReceivers(body []byte) (r CDRReceivers, err error) {
	page, err := decodePage(body, "cdrReceivers", "cdrReceiver", (*wireReceiver).setters)
	if err != nil {
		return r, err
	}
	r.Total = page.Total
	for i := range page.Items {
		r.Receivers = append(r.Receivers, page.Items[i].receiver())
	}
	err = decode(body, "cdrReceivers", setters{"maximum": setCount(&r.Maximum)})
	return r, err
}

const (
	// maxReasons is the largest number of reasons that are kept, maxReason the largest
	// size of one in bytes.
	maxReasons = 8
	maxReason  = 64
)

// Reasons reads the optional <failureDetails> of an error, which may have several reasons. It
// returns none for any other body.
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
