// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Errors of [CDRRegistration.Ensure].
var (
	// ErrCDRReceiversFull: the list has no place for another entry.
	ErrCDRReceiversFull = errors.New("the Call Bridge has no place for another CDR receiver; remove one on the bridge")
	// ErrCDRReceiverNotShown: an entry was created, and the list shows none that
	// could be it. Another one is not created, because the list would fill up.
	ErrCDRReceiverNotShown = errors.New("the Call Bridge does not show the CDR receiver that was created on it; " +
		"check its list of CDR receivers, remove entries that are not wanted and restart the Collector")
	// ErrCDRReceiverUnreadable: none of the entries that can be read is ours. One that
	// cannot be read may be, so none is added.
	ErrCDRReceiverUnreadable = errors.New("the Call Bridge lists CDR receivers without a URI and answers 404 for each of them; " +
		"one of them may be this receiver, so none is added or changed; register the URI by hand, and turn registration off for this bridge")
	// ErrCDRReceiverWithoutURI: the server keeps the entry without its URI.
	ErrCDRReceiverWithoutURI = errors.New("the Call Bridge keeps no URI for the CDR receiver that was registered; enter it on the bridge")
)

// Change is what [CDRRegistration.Ensure] had to do.
type Change string

// The changes.
const (
	// Present: nothing, the entry was there.
	Present Change = "present"
	// Updated: it set the URI of an entry, ours or an empty one.
	Updated Change = "updated"
	// Created: it made a new entry.
	Created Change = "created"
)

// Registration is what is registered after [CDRRegistration.Ensure].
type Registration struct {
	Change Change
	// Altered tells that the server shows another URI than it was given.
	Altered bool
	// Others is how many further entries have the same scheme, host and path, with
	// any query: of other Collectors, or left behind by an older configuration.
	Others int
	// Unreadable is how many entries of the list cannot be read.
	Unreadable int
}

// CDRRegistration keeps one entry in the list of one Call Bridge. It never touches
// an entry that is not its own, and never has more than one, whatever the server
// makes of the URI: it knows its entry by the URI, normalized, by the id that
// the server gave, and by the text that the server showed for it. Not safe for
// concurrent use.
type CDRRegistration struct {
	client    *Client
	uri       string
	own       receiverURI
	parameter string // the form's parameter that the server takes

	id      string // of the entry, "" before it is known
	shown   string // fingerprint of the entry's URI as the server showed it last, "" before
	altered bool   // shown is not our URI
	varies  bool   // and differs from one reading to the next
	total   int    // entries of the list after one was created, 0 before
	again   bool   // a recognizable entry was lost to another receiver before
}

// NewCDRRegistration returns the registration of a URI, which must be an absolute
// http or https URL.
func (c *Client) NewCDRRegistration(uri string) (*CDRRegistration, error) {
	own, ok := parseReceiverURI(uri)
	if !ok {
		return nil, errors.New("the URI of a CDR receiver must be an absolute URL")
	}
	return &CDRRegistration{client: c, uri: uri, own: own, parameter: "uri"}, nil
}

// Ensure makes the bridge post to the URI, if it does not yet. It is idempotent.
// Errors are those above, those of CDRReceivers, and *Error.
func (r *CDRRegistration) Ensure(ctx context.Context) (Registration, error) {
	list, err := r.read(ctx)
	if errors.Is(err, ErrSingleCDRReceiver) {
		return r.single(ctx)
	}
	if err != nil {
		return Registration{}, err
	}
	change, err := r.ensure(ctx, list)
	if err != nil {
		return Registration{}, fmt.Errorf("register the CDR receiver: %w", err)
	}
	return Registration{Change: change, Altered: r.altered, Others: r.others(list), Unreadable: list.unreadable()}, nil
}

func (r *CDRRegistration) ensure(ctx context.Context, list CDRReceivers) (Change, error) {
	if entry, found := r.find(list); found {
		if entry.Unreadable {
			return Present, nil // the id is ours, and nothing shows that the URI is not
		}
		if r.settled(entry) {
			r.id, r.shown, r.altered = entry.ID, fingerprint(entry.URI), !r.recognizes(entry.URI)
			return Present, nil
		}
		return Updated, r.update(ctx, entry, list)
	}
	if list.unreadable() > 0 {
		return "", ErrCDRReceiverUnreadable
	}
	if !r.mayAdd(list) {
		return "", ErrCDRReceiverNotShown
	}
	empty := slices.IndexFunc(list.Receivers, func(e CDRReceiver) bool { return e.URI == "" && e.ID != "" })
	if empty < 0 && list.Maximum > 0 && list.Total >= list.Maximum {
		return "", ErrCDRReceiversFull
	}
	r.again = r.total > 0 && list.Total >= r.total
	if empty >= 0 {
		r.total = list.Total
		return Updated, r.update(ctx, list.Receivers[empty], list)
	}
	return Created, r.create(ctx, list)
}

// single is Ensure for a server without a list: its only receiver may be somebody
// else's, so it is looked at and not changed.
func (r *CDRRegistration) single(ctx context.Context) (Registration, error) {
	receiver, err := r.client.singleCDRReceiver(ctx)
	switch {
	case err != nil:
		return Registration{}, err
	case r.recognizes(receiver.URI):
		return Registration{Change: Present}, nil
	default:
		return Registration{}, ErrSingleCDRReceiver
	}
}

// read reads the list. Of entries that the list shows without a URI it reads each:
// some servers list ids alone. An entry is an empty place, which may be overwritten,
// if the list or the entry itself says so. One that the server lists and does not
// know is unreadable.
func (r *CDRRegistration) read(ctx context.Context) (CDRReceivers, error) {
	list, err := r.client.CDRReceivers(ctx)
	for i := range list.Receivers {
		entry := &list.Receivers[i]
		if entry.URI != "" {
			continue
		}
		detail, err := r.client.cdrReceiver(ctx, entry.ID)
		if refused, ok := errors.AsType[*Error](err); err != nil && (!ok || !refused.unknownObject()) {
			return list, err
		}
		entry.URI = detail.URI
		// Without an id there is nothing to ask for, and nothing to overwrite.
		entry.Unreadable = err != nil && !entry.shown && entry.ID != ""
	}
	return list, err
}

// recognizes tells whether a URI is ours in whatever letters.
func (r *CDRRegistration) recognizes(text string) bool {
	u, ok := parseReceiverURI(text)
	return ok && u.same(r.own)
}

// find returns our entry. An entry that shows our URI comes first; then the one
// with the id that is remembered, unless it was given to another receiver; then
// one with the text that the server made of our URI.
func (r *CDRRegistration) find(list CDRReceivers) (CDRReceiver, bool) {
	hasID := func(e CDRReceiver) bool { return r.id != "" && strings.EqualFold(e.ID, r.id) }
	for _, isOurs := range []func(CDRReceiver) bool{
		func(e CDRReceiver) bool { return hasID(e) && r.recognizes(e.URI) },
		func(e CDRReceiver) bool { return r.recognizes(e.URI) },
		func(e CDRReceiver) bool { return hasID(e) && r.mayBeOurs(e.URI) },
		func(e CDRReceiver) bool { return r.altered && e.URI != "" && fingerprint(e.URI) == r.shown },
	} {
		if i := slices.IndexFunc(list.Receivers, isOurs); i >= 0 {
			return list.Receivers[i], true
		}
	}
	return CDRReceiver{}, false
}

// mayBeOurs tells whether the entry with our id can still be ours: it lost its
// URI, or its text was never read back or is what the server made of our URI. With
// another query it is another Collector's that took the same empty place.
func (r *CDRRegistration) mayBeOurs(text string) bool {
	return text == "" || r.shown == "" || fingerprint(text) == r.shown || r.varies
}

// settled tells whether our entry needs no update. An entry without an id cannot
// be updated.
func (r *CDRRegistration) settled(entry CDRReceiver) bool {
	u, ok := parseReceiverURI(entry.URI)
	return entry.ID == "" || ok && u == r.own || entry.URI != "" && (fingerprint(entry.URI) == r.shown || r.varies)
}

// mayAdd tells whether an entry may be added to a list that shows none of ours:
// not if one was added before and the list did not become shorter since. Where the
// server showed our URI as it is, somebody gave our entry to another receiver, and
// it is registered anew, once.
func (r *CDRRegistration) mayAdd(list CDRReceivers) bool {
	if r.total == 0 || list.Total < r.total {
		return true
	}
	return r.shown != "" && !r.altered && !r.again
}

func (r *CDRRegistration) create(ctx context.Context, before CDRReceivers) error {
	var id string
	err := r.withParameter(func(parameter string) (err error) {
		id, err = r.client.createCDRReceiver(ctx, parameter, r.uri)
		return err
	})
	if refused, ok := errors.AsType[*Error](err); ok && refused.Has("tooManyCdrReceivers") {
		return ErrCDRReceiversFull
	}
	if err != nil {
		return err
	}
	r.adopt(id)
	r.total = before.Total + 1
	return r.confirm(ctx, before)
}

func (r *CDRRegistration) update(ctx context.Context, entry CDRReceiver, before CDRReceivers) error {
	r.adopt(entry.ID)
	if err := r.put(ctx); err != nil {
		return err
	}
	return r.confirm(ctx, before)
}

// adopt takes the entry with this id for ours; its text is not known yet.
func (r *CDRRegistration) adopt(id string) {
	r.id, r.shown, r.altered, r.varies = id, "", false, false
}

func (r *CDRRegistration) put(ctx context.Context) error {
	return r.withParameter(func(parameter string) error {
		return r.client.updateCDRReceiver(ctx, r.id, parameter, r.uri)
	})
}

// withParameter sends a request, and again with the parameter's other name if the
// server does not take the first. It keeps the name that was taken.
func (r *CDRRegistration) withParameter(send func(parameter string) error) error {
	err := send(r.parameter)
	if refused, ok := errors.AsType[*Error](err); !ok || !refused.Has("parameterError") {
		return err
	}
	other := otherParameter(r.parameter)
	if err := send(other); err != nil {
		return err
	}
	r.parameter = other
	return nil
}

// otherParameter: the reference calls the parameter uri in its tables and url in
// its prose.
func otherParameter(parameter string) string {
	if parameter == "uri" {
		return "url"
	}
	return "uri"
}

// confirm reads our entry back after a request, and learns what the server made of
// the URI. before is the list before the request.
func (r *CDRRegistration) confirm(ctx context.Context, before CDRReceivers) error {
	entry, err := r.readBack(ctx, before)
	if err == nil && entry.Unreadable {
		r.id = entry.ID // that the server took the request is all there is to know
		return nil
	}
	// A server that ignores an unknown parameter keeps the entry without a URI.
	for tries := 0; err == nil && entry.URI == "" && tries < 2; tries++ {
		if tries > 0 {
			r.parameter = otherParameter(r.parameter)
		}
		entry, err = r.writeAgain(ctx, entry, before)
	}
	if err != nil {
		return err
	}
	if entry.URI == "" {
		return ErrCDRReceiverWithoutURI
	}
	r.altered, r.varies = !r.recognizes(entry.URI), false
	if r.altered {
		// Either the server alters the URI, or another Collector took the same empty
		// place at the same time. Writing once more shows which.
		first := entry.URI
		if entry, err = r.writeAgain(ctx, entry, before); err != nil {
			return err
		}
		r.altered = !r.recognizes(entry.URI)
		r.varies = r.altered && entry.URI != first
	}
	r.id, r.shown = entry.ID, fingerprint(entry.URI)
	return nil
}

func (r *CDRRegistration) writeAgain(ctx context.Context, entry CDRReceiver, before CDRReceivers) (CDRReceiver, error) {
	r.id = entry.ID
	if err := r.put(ctx); err != nil {
		return CDRReceiver{}, err
	}
	return r.readBack(ctx, before)
}

// readBack finds our entry in the list: by its id, by its URI, or as the only one
// that was not there before.
func (r *CDRRegistration) readBack(ctx context.Context, before CDRReceivers) (CDRReceiver, error) {
	list, err := r.read(ctx)
	if err != nil {
		return CDRReceiver{}, err
	}
	for _, isOurs := range []func(CDRReceiver) bool{
		func(e CDRReceiver) bool { return r.id != "" && strings.EqualFold(e.ID, r.id) },
		func(e CDRReceiver) bool { return r.recognizes(e.URI) },
	} {
		if i := slices.IndexFunc(list.Receivers, isOurs); i >= 0 {
			return list.Receivers[i], nil
		}
	}
	var added []CDRReceiver
	for _, e := range list.Receivers {
		if !slices.ContainsFunc(before.Receivers, func(old CDRReceiver) bool { return strings.EqualFold(old.ID, e.ID) }) {
			added = append(added, e)
		}
	}
	if len(added) != 1 {
		return CDRReceiver{}, ErrCDRReceiverNotShown
	}
	return added[0], nil
}

// others counts the entries of the same target that are not ours.
func (r *CDRRegistration) others(list CDRReceivers) (n int) {
	for _, e := range list.Receivers {
		if u, ok := parseReceiverURI(e.URI); ok && u.target == r.own.target && !strings.EqualFold(e.ID, r.id) {
			n++
		}
	}
	return n
}
