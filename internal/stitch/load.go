// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package stitch

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrStored wraps every error about stored state.
var ErrStored = errors.New("stored state cannot be read")

// loader is the state of an engine that loads stored entries.
type loader struct {
	process    uint64
	keys       map[uint64]key // the keys of the stored numbers
	renumbered bool           // some stored number differs from its key
	resources  map[uint64]string
	sessions   map[uint64]uint32
	skipped    int
}

// Load loads stored entries into an unused engine, in the order in which they were appended.
// It skips entries that refer to lost ones. After an error, the entries before it are loaded.
func (e *Engine) Load(entries []byte) error {
	if e.loading == nil {
		e.loading = &loader{}
		e.loading.beginProcess(0)
		e.loadedAbsences = make(map[objectKey]int64)
	}
	for len(entries) > 0 {
		kind := entries[0]
		length, used := binary.Uvarint(entries[1:])
		if used <= 0 || length > uint64(len(entries)) || len(entries)-1-used < int(length) { //nolint:gosec // at most len(entries)
			return fmt.Errorf("%w: an entry is cut", ErrStored)
		}
		start := 1 + used
		end := start + int(length) //nolint:gosec // at most len(entries)
		if err := e.loadEntry(kind, entries[start:end]); err != nil {
			return err
		}
		entries = entries[end:]
	}
	return nil
}

func (e *Engine) loadEntry(kind byte, content []byte) error {
	r := reader{rest: content}
	switch kind {
	case entryProcess:
		e.loading.beginProcess(r.uvarint())
	case entryKey:
		e.loading.addKey(e, r.uvarint(), string(r.rest))
	case entryResource:
		e.loading.resources[r.uvarint()] = string(r.rest)
	case entrySessionV3:
		number, last, over := r.uvarint(), r.time(), r.time()
		s := session{last: last, rememberedSince: over}
		if over != 0 { // up to version 3 the time of the declaring record was not stored
			s.overAt = max(last, over)
		}
		e.loadSession(&r, number, &s)
	case entrySession:
		number := r.uvarint()
		s := session{last: r.time(), rememberedSince: r.time(), overAt: r.time(), bridge: r.uvarint()}
		e.loadSession(&r, number, &s)
	case entryObject, entryHead:
		e.loadObject(&r, kind == entryObject)
	case entryStatement:
		e.loadStatement(&r)
	case entryForgotten:
		if kind, ok := letter(kindLetters[:], r.byte()); ok {
			var identity identity
			copy(identity[:], r.bytes(len(identity)))
			e.unload(Kind(kind), identity)                            //nolint:gosec // an index
			delete(e.loadedAbsences, objectKey{Kind(kind), identity}) //nolint:gosec // an index
		}
	case entryAbsent:
		if kind, ok := letter(kindLetters[:], r.byte()); ok {
			of := objectKey{kind: Kind(kind)} //nolint:gosec // an index
			copy(of.identity[:], r.bytes(len(of.identity)))
			if at := r.time(); !r.damaged {
				e.loadedAbsences[of] = max(e.loadedAbsences[of], at)
			}
		}
	case entryDeclarationForgotten:
		if slot, known := e.sessions.slotOf[string(content)]; known {
			e.sessions.at(slot).rememberedSince, e.sessions.at(slot).overAt = 0, 0
		}
	default:
		return fmt.Errorf("%w: entry of kind %q", ErrStored, kind)
	}
	if r.damaged {
		return fmt.Errorf("%w: an entry of kind %q is damaged", ErrStored, kind)
	}
	return nil
}

// beginProcess forgets the numbers of the tables if another process wrote the next entries.
func (l *loader) beginProcess(process uint64) {
	if process == l.process && l.keys != nil {
		return
	}
	*l = loader{
		process: process, skipped: l.skipped,
		keys: make(map[uint64]key), resources: make(map[uint64]string), sessions: make(map[uint64]uint32),
	}
}

func (l *loader) addKey(e *Engine, number uint64, text string) {
	k, ok := e.dictionary.keyOf(text)
	if !ok {
		return
	}
	l.keys[number] = k
	l.renumbered = l.renumbered || uint64(k) != number
}

// loadSession loads a session, whose name is the rest of the entry.
func (e *Engine) loadSession(r *reader, number uint64, stored *session) {
	if r.damaged {
		return
	}
	slot := e.sessions.findOrCreate(string(r.rest))
	s := e.sessions.at(slot)
	s.last, s.rememberedSince, s.overAt, s.bridge = stored.last, stored.rememberedSince, stored.overAt, stored.bridge
	e.loading.sessions[number] = slot
}

// loadObject loads an object. A head without facts updates a known object; it is skipped if
// the segment with the object was lost.
func (e *Engine) loadObject(r *reader, withFacts bool) {
	kindNumber, okKind := letter(kindLetters[:], r.byte())
	stateNumber, okState := letter(stateLetters[:], r.byte())
	if !okKind || !okState {
		r.damaged = true
		return
	}
	kind := Kind(kindNumber) //nolint:gosec // an index
	var identity identity
	copy(identity[:], r.bytes(len(identity)))
	flags, since, resource, session := r.uvarint(), r.time(), r.uvarint(), r.uvarint()
	var o object
	var info containerInfo
	copy(o.span[:], r.bytes(len(o.span)))
	if kind.isContainer() {
		info.traceFrozen = r.byte() == 1
		copy(info.ownTrace[:], r.bytes(len(info.ownTrace)))
		copy(info.trace[:], r.bytes(len(info.trace)))
		info.stampedTrace = info.trace
		copy(info.rootSpan[:], r.bytes(len(info.rootSpan)))
		if flags&flagStampedWithOwnTrace != 0 {
			info.stampedTrace = info.ownTrace
		}
		info.firstNamedAt, info.lastNamedAt = r.time(), r.time()
	}
	if r.damaged {
		return
	}
	facts, ok := r.rest, true
	whole := kind.keepsFacts() || state(stateNumber) != emitted //nolint:gosec // an index
	if withFacts && whole {
		facts, ok = e.loading.translate(e, facts)
	}
	slot := e.slotOfIdentity(kind, &identity)
	if !ok || len(facts) > maxBlock || withFacts && !whole && len(facts) != tombstoneSize {
		r.damaged = true
		return
	}
	if slot == 0 && !withFacts {
		e.loading.skipped++
		return
	}
	if slot == 0 {
		slot = e.allocate(kind, identity)
	}
	known := e.objects.at(slot)
	if withFacts {
		newest := uint32(0)
		if whole { // translate has parsed them
			newest = e.codec.newestIndex()
		}
		e.replaceFacts(slot, facts, newest)
	}
	known.span, known.since, known.state = o.span, since, state(stateNumber) //nolint:gosec // an index
	known.flags = uint16(flags) & storedFlags                                //nolint:gosec // the flags of it
	known.session = e.loading.sessions[session]
	if known.resource != 0 {
		e.resources.release(known.resource)
		known.resource = 0
	}
	if text, found := e.loading.resources[resource]; found && resource != 0 {
		known.resource = e.resources.acquire(text)
	}
	if kind.isContainer() {
		*e.containers.at(known.containerIndex) = info
	}
}

// unload frees an object during loading, before it is in any list.
func (e *Engine) unload(kind Kind, identity identity) {
	slot := e.slotOfIdentity(kind, &identity)
	if slot == 0 {
		return
	}
	o := e.objects.at(slot)
	if kind.isContainer() {
		e.containers.release(o.containerIndex)
	}
	if o.resource != 0 {
		e.resources.release(o.resource)
	}
	e.arena.release(o.facts, o.factsSize)
	e.identities.remove(e.identities.findLink(e.identityHash(kind, &identity), slot))
	o.state = free
	e.objects.release(slot)
}

// translate rewrites stored facts with this engine's keys.
func (l *loader) translate(e *Engine, stored []byte) (facts []byte, ok bool) {
	f := &e.codec
	if !f.read(stored) {
		return nil, false
	}
	known := func(k key) bool { _, ok := l.keys[uint64(k)]; return ok }
	if !l.renumbered && !slices.ContainsFunc(f.attributes, func(en attribute) bool { return !known(en.key) }) &&
		!slices.ContainsFunc(f.items, func(it item) bool { return !known(it.list) }) &&
		!slices.ContainsFunc(f.itemFields, func(field itemField) bool { return !known(field.key) }) {
		return stored, true
	}
	l.translateItems(f)
	for i := range f.statements {
		s := &f.statements[i]
		kept := s.attributes[:0]
		for _, entry := range s.attributes {
			if k, known := l.keys[uint64(entry.key)]; known {
				entry.key = k
				kept = append(kept, entry)
			}
		}
		slices.SortFunc(kept, func(a, b attribute) int { return cmp.Compare(a.key, b.key) })
		s.attributes = kept
	}
	return f.encodeNormalized(&e.dictionary), true
}

func (l *loader) translateItems(f *factsCodec) {
	kept := f.items[:0]
	for _, it := range f.items {
		list, known := l.keys[uint64(it.list)]
		if !known {
			continue
		}
		it.list = list
		fields := it.fields[:0]
		for _, field := range it.fields {
			if k, known := l.keys[uint64(field.key)]; known {
				field.key = k
				fields = append(fields, field)
			}
		}
		slices.SortFunc(fields, func(a, b itemField) int { return cmp.Compare(a.key, b.key) })
		it.fields = fields
		kept = append(kept, it)
	}
	slices.SortFunc(kept, compareItems)
	f.items = kept
}

// letter returns the index of a letter.
func letter(letters []byte, c byte) (i int, ok bool) {
	if c == 0 {
		return 0, false
	}
	i = slices.Index(letters, c)
	return i, i >= 0
}
