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
	// ErrCDRReceiversFull means that the list has no place for another entry.
	ErrCDRReceiversFull = errors.New("the Call Bridge has no place for another CDR receiver; remove one on the bridge")
	// ErrCDRReceiverNotShown means that an entry was created, but the list shows none that
	// could be it. No second one is created, because the list would fill up.
	ErrCDRReceiverNotShown = errors.New("the Call Bridge does not show the CDR receiver that was created on it; " +
		"check its list of CDR receivers, remove entries that are not wanted and restart the Collector")
	// ErrCDRReceiverUnreadable means that none of the readable entries is ours, but an
	// unreadable one may be. No entry is added.
	ErrCDRReceiverUnreadable = errors.New("the Call Bridge lists CDR receivers without a URI and answers 404 for each of them; " +
		"one of them may be this receiver, so none is added or changed; register the URI by hand, and turn registration off for this bridge")
	// ErrCDRReceiverWithoutURI means that the server stores the entry without its URI.
	ErrCDRReceiverWithoutURI = errors.New("the Call Bridge keeps no URI for the CDR receiver that was registered; enter it on the bridge")
)

// Change is the change that [CDRRegistration.Ensure] made.
type Change string

// The changes.
const (
	// Present: the entry existed; no change.
	Present Change = "present"
	// Updated: the URI of an entry was set, of our own or of an empty one.
	Updated Change = "updated"
	// Created: an entry was added.
	Created Change = "created"
)

// Registration is the result of [CDRRegistration.Ensure].
type Registration struct {
	Change Change
	// Altered is true if the server shows another URI than the one that was written.
	Altered bool
	// Others is the number of further entries with the same scheme, host and path, and
	// any query: of other Collectors, or of an older configuration.
	Others int
	// Unreadable is the number of unreadable entries.
	Unreadable int
}

// CDRRegistration maintains one entry in the list of one Call Bridge. It never changes an
// entry of others, and never creates a second one, even if the server rewrites the URI: it
// recognizes its entry by the normalized URI, by the id, and by the text that the server
// showed last. It is not safe for concurrent use.
type CDRRegistration struct {
	client    *Client
	uri       string
	ownURI    receiverURI
	parameter string // the form's parameter that the server takes

	id               string // of the entry, "" before it is known
	shownFingerprint string // fingerprint of the entry's URI as the server showed it last, "" before
	altered          bool   // shown is not our URI
	unstable         bool   // and differs from one reading to the next
	totalAfterCreate int    // entries of the list after one was created, 0 before
	reregistered     bool   // a recognizable entry was lost to another receiver before
}

// NewCDRRegistration returns the registration of a URI, which must be an absolute
// http or https URL.
func (c *Client) NewCDRRegistration(uri string) (*CDRRegistration, error) {
	own, ok := parseReceiverURI(uri)
	if !ok {
		return nil, errors.New("the URI of a CDR receiver must be an absolute URL")
	}
	return &CDRRegistration{client: c, uri: uri, ownURI: own, parameter: "uri"}, nil
}

// Ensure makes sure that the bridge posts to the URI. It is idempotent. It returns the errors
// above, the errors of CDRReceivers, and *Error.
func (r *CDRRegistration) Ensure(ctx context.Context) (Registration, error) {
	list, err := r.readList(ctx)
	if errors.Is(err, ErrSingleCDRReceiver) {
		return r.ensureSingle(ctx)
	}
	if err != nil {
		return Registration{}, err
	}
	change, err := r.ensure(ctx, list)
	if err != nil {
		return Registration{}, fmt.Errorf("register the CDR receiver: %w", err)
	}
	return Registration{Change: change, Altered: r.altered, Others: r.countOthers(list), Unreadable: list.countUnreadable()}, nil
}

func (r *CDRRegistration) ensure(ctx context.Context, list CDRReceivers) (Change, error) {
	if entry, found := r.findOwn(list); found {
		if entry.Unreadable {
			return Present, nil // the id is ours, and nothing shows that the URI is not
		}
		if r.isUpToDate(entry) {
			r.id, r.shownFingerprint, r.altered = entry.ID, fingerprint(entry.URI), !r.isOwnURI(entry.URI)
			return Present, nil
		}
		return Updated, r.update(ctx, entry, list)
	}
	if list.countUnreadable() > 0 {
		return "", ErrCDRReceiverUnreadable
	}
	if !r.mayAdd(list) {
		return "", ErrCDRReceiverNotShown
	}
	empty := slices.IndexFunc(list.Receivers, func(e CDRReceiver) bool { return e.URI == "" && e.ID != "" })
	if empty < 0 && list.Maximum > 0 && list.Total >= list.Maximum {
		return "", ErrCDRReceiversFull
	}
	r.reregistered = r.totalAfterCreate > 0 && list.Total >= r.totalAfterCreate
	if empty >= 0 {
		r.totalAfterCreate = list.Total
		return Updated, r.update(ctx, list.Receivers[empty], list)
	}
	return Created, r.create(ctx, list)
}

// ensureSingle is Ensure for a server without a list. It only reads the single receiver,
// which may belong to somebody else.
func (r *CDRRegistration) ensureSingle(ctx context.Context) (Registration, error) {
	receiver, err := r.client.singleCDRReceiver(ctx)
	switch {
	case err != nil:
		return Registration{}, err
	case r.isOwnURI(receiver.URI):
		return Registration{Change: Present}, nil
	default:
		return Registration{}, ErrSingleCDRReceiver
	}
}

// readList reads the list, and each entry without a URI, because some servers list only ids.
// An entry is empty, and may be overwritten, if the list or the entry itself states an empty
// URI. An entry for which the server answers 404 is unreadable.
func (r *CDRRegistration) readList(ctx context.Context) (CDRReceivers, error) {
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
		// An entry without an id can be neither read nor overwritten.
		entry.Unreadable = err != nil && !entry.uriStated && entry.ID != ""
	}
	return list, err
}

// isOwnURI reports whether a URI equals ours after normalization.
func (r *CDRRegistration) isOwnURI(text string) bool {
	u, ok := parseReceiverURI(text)
	return ok && u.matches(r.ownURI)
}

// findOwn returns our entry: an entry with our URI; else the entry with our id, unless it
// belongs to another receiver now; else an entry with the text into which the server has
// rewritten our URI.
func (r *CDRRegistration) findOwn(list CDRReceivers) (CDRReceiver, bool) {
	hasID := func(e CDRReceiver) bool { return r.id != "" && strings.EqualFold(e.ID, r.id) }
	for _, isOurs := range []func(CDRReceiver) bool{
		func(e CDRReceiver) bool { return hasID(e) && r.isOwnURI(e.URI) },
		func(e CDRReceiver) bool { return r.isOwnURI(e.URI) },
		func(e CDRReceiver) bool { return hasID(e) && r.mayBeOurs(e.URI) },
		func(e CDRReceiver) bool { return r.altered && e.URI != "" && fingerprint(e.URI) == r.shownFingerprint },
	} {
		if i := slices.IndexFunc(list.Receivers, isOurs); i >= 0 {
			return list.Receivers[i], true
		}
	}
	return CDRReceiver{}, false
}

// mayBeOurs reports whether the entry with our id can still be ours: its URI is empty, was
// never read back, or is the rewritten one. Any other URI belongs to another Collector that
// took the same empty entry.
func (r *CDRRegistration) mayBeOurs(text string) bool {
	return text == "" || r.shownFingerprint == "" || fingerprint(text) == r.shownFingerprint || r.unstable
}

// isUpToDate reports whether our entry needs no update. An entry without an id cannot be
// updated.
func (r *CDRRegistration) isUpToDate(entry CDRReceiver) bool {
	u, ok := parseReceiverURI(entry.URI)
	return entry.ID == "" || ok && u == r.ownURI || entry.URI != "" && (fingerprint(entry.URI) == r.shownFingerprint || r.unstable)
}

// mayAdd reports whether an entry may be added to a list without ours: not if one was added
// before and the list has not become shorter since. If the server showed our URI unchanged
// before, somebody has given our entry to another receiver; then it is added once more.
func (r *CDRRegistration) mayAdd(list CDRReceivers) bool {
	if r.totalAfterCreate == 0 || list.Total < r.totalAfterCreate {
		return true
	}
	return r.shownFingerprint != "" && !r.altered && !r.reregistered
}

func (r *CDRRegistration) create(ctx context.Context, before CDRReceivers) error {
	var id string
	err := r.tryParameters(func(parameter string) (err error) {
		id, err = r.client.createCDRReceiver(ctx, parameter, r.uri)
		return err
	})
	if refused, ok := errors.AsType[*Error](err); ok && refused.HasReason("tooManyCdrReceivers") {
		return ErrCDRReceiversFull
	}
	if err != nil {
		return err
	}
	r.adopt(id)
	r.totalAfterCreate = before.Total + 1
	return r.confirm(ctx, before)
}

func (r *CDRRegistration) update(ctx context.Context, entry CDRReceiver, before CDRReceivers) error {
	r.adopt(entry.ID)
	if err := r.putURI(ctx); err != nil {
		return err
	}
	return r.confirm(ctx, before)
}

// adopt makes the entry with this id ours. Its text is unknown until confirm.
func (r *CDRRegistration) adopt(id string) {
	r.id, r.shownFingerprint, r.altered, r.unstable = id, "", false, false
}

func (r *CDRRegistration) putURI(ctx context.Context) error {
	return r.tryParameters(func(parameter string) error {
		return r.client.updateCDRReceiver(ctx, r.id, parameter, r.uri)
	})
}

// tryParameters sends a request, and once more with the other name of the parameter if the
// server refuses the first one. It stores the accepted name.
func (r *CDRRegistration) tryParameters(send func(parameter string) error) error {
	err := send(r.parameter)
	if refused, ok := errors.AsType[*Error](err); !ok || !refused.HasReason("parameterError") {
		return err
	}
	other := otherParameter(r.parameter)
	if err := send(other); err != nil {
		return err
	}
	r.parameter = other
	return nil
}

// otherParameter returns the other name of the parameter: the reference calls it uri in its
// tables and url in its prose.
func otherParameter(parameter string) string {
	if parameter == "uri" {
		return "url"
	}
	return "uri"
}

// confirm reads our entry back after a request, and stores how the server shows the URI.
// before is the list before the request.
func (r *CDRRegistration) confirm(ctx context.Context, before CDRReceivers) error {
	entry, err := r.readBack(ctx, before)
	if err == nil && entry.Unreadable {
		r.id = entry.ID // the server accepted the request, and shows nothing else
		return nil
	}
	// A server that ignores an unknown parameter keeps the entry without a URI.
	for tries := 0; err == nil && entry.URI == "" && tries < 2; tries++ {
		if tries > 0 {
			r.parameter = otherParameter(r.parameter)
		}
		entry, err = r.rewrite(ctx, entry, before)
	}
	if err != nil {
		return err
	}
	if entry.URI == "" {
		return ErrCDRReceiverWithoutURI
	}
	r.altered, r.unstable = !r.isOwnURI(entry.URI), false
	if r.altered {
		// Either the server rewrites the URI, or another Collector took the same empty
		// entry at the same time. A second write shows which.
		first := entry.URI
		if entry, err = r.rewrite(ctx, entry, before); err != nil {
			return err
		}
		r.altered = !r.isOwnURI(entry.URI)
		r.unstable = r.altered && entry.URI != first
	}
	r.id, r.shownFingerprint = entry.ID, fingerprint(entry.URI)
	return nil
}

func (r *CDRRegistration) rewrite(ctx context.Context, entry CDRReceiver, before CDRReceivers) (CDRReceiver, error) {
	r.id = entry.ID
	if err := r.putURI(ctx); err != nil {
		return CDRReceiver{}, err
	}
	return r.readBack(ctx, before)
}

// readBack returns our entry of the list: by its id, by its URI, or as the only new one.
func (r *CDRRegistration) readBack(ctx context.Context, before CDRReceivers) (CDRReceiver, error) {
	list, err := r.readList(ctx)
	if err != nil {
		return CDRReceiver{}, err
	}
	for _, isOurs := range []func(CDRReceiver) bool{
		func(e CDRReceiver) bool { return r.id != "" && strings.EqualFold(e.ID, r.id) },
		func(e CDRReceiver) bool { return r.isOwnURI(e.URI) },
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

// countOthers counts the entries with the same target other than ours.
func (r *CDRRegistration) countOthers(list CDRReceivers) (n int) {
	for _, e := range list.Receivers {
		if u, ok := parseReceiverURI(e.URI); ok && u.target == r.ownURI.target && !strings.EqualFold(e.ID, r.id) {
			n++
		}
	}
	return n
}
