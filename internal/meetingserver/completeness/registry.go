// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import "sync"

// Position is the position of a receiver in the records of one bridge.
type Position struct {
	// CallBridge is the id of the bridge in the form of callbridge.ID, "" for a server
	// without a cluster. System is the name that the operator gave it, or "".
	CallBridge, System string
	// Next is the index after the highest one that is accounted for.
	Next uint64
}

// registry serves the whole process, because different factories create the components.
var registry struct {
	mu        sync.Mutex
	receivers map[any]receiver
}

type receiver struct {
	name string
	read func() []Position
}

// Register adds a receiver until unregister. name is the name of the component. read returns
// the positions of the receiver; it must not call this package.
func Register(name string, read func() []Position) (unregister func()) {
	key := new(byte)
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if registry.receivers == nil {
		registry.receivers = make(map[any]receiver)
	}
	registry.receivers[key] = receiver{name, read}
	return func() {
		registry.mu.Lock()
		defer registry.mu.Unlock()
		delete(registry.receivers, key)
	}
}

// Positions returns the position of each receiver in the records of a bridge, by the name of
// the receiver. It also returns the number of all receivers, with or without a position. A
// server without a cluster is found by its System.
func Positions(callBridge, system string) (positions map[string]uint64, receivers int) {
	registry.mu.Lock()
	all := make([]receiver, 0, len(registry.receivers))
	for _, r := range registry.receivers {
		all = append(all, r)
	}
	registry.mu.Unlock()
	positions = make(map[string]uint64)
	for _, r := range all {
		for _, p := range r.read() {
			if callBridge != "" && p.CallBridge == callBridge || p.CallBridge == "" && system != "" && p.System == system {
				positions[r.name] = max(positions[r.name], p.Next)
			}
		}
	}
	return positions, len(all)
}
