// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import "sync"

// Position is how far a receiver has the records of one bridge.
type Position struct {
	// CallBridge is the id of the bridge as callbridge.ID has it, "" for a server in no
	// cluster, and System the operator's name of it, "" if it has none.
	CallBridge, System string
	// Next is the index behind the highest that is accounted for.
	Next uint64
}

// registry is that of the process: the components are made by different factories.
var registry struct {
	mu        sync.Mutex
	receivers map[any]receiver
}

type receiver struct {
	name string
	read func() []Position
}

// Register has read asked for the positions of a receiver from now on, until
// unregister. name is the component's; read must not call this package.
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

// Positions returns how far each receiver of the process has the records of a bridge,
// by the receiver's name; receivers is how many there are, those included that do
// not know the bridge. A server in no cluster is found by the operator's name alone.
func Positions(callBridge, system string) (of map[string]uint64, receivers int) {
	registry.mu.Lock()
	all := make([]receiver, 0, len(registry.receivers))
	for _, r := range registry.receivers {
		all = append(all, r)
	}
	registry.mu.Unlock()
	of = make(map[string]uint64)
	for _, r := range all {
		for _, p := range r.read() {
			if callBridge != "" && p.CallBridge == callBridge || p.CallBridge == "" && system != "" && p.System == system {
				of[r.name] = max(of[r.name], p.Next)
			}
		}
	}
	return of, len(all)
}
