// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"container/heap"
	"time"
)

// appointment is something the world will do at a moment.
type appointment struct {
	at  time.Time
	seq int // of two appointments at one moment, the one made first is kept first
	do  func()
}

// agenda is the heap of appointments, earliest first.
type agenda struct {
	list []appointment
	made int
}

func (a *agenda) add(at time.Time, do func()) {
	a.made++
	heap.Push(a, appointment{at: at, seq: a.made, do: do})
}

func (a *agenda) next() appointment { return heap.Pop(a).(appointment) }

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (a *agenda) Len() int { return len(a.list) }

func (a *agenda) Less(i, j int) bool {
	x, y := a.list[i], a.list[j]
	if !x.at.Equal(y.at) {
		return x.at.Before(y.at)
	}
	return x.seq < y.seq
}

func (a *agenda) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }

func (a *agenda) Push(x any) { a.list = append(a.list, x.(appointment)) }

func (a *agenda) Pop() any {
	last := a.list[len(a.list)-1]
	a.list[len(a.list)-1] = appointment{} // lets go of the closure
	a.list = a.list[:len(a.list)-1]
	return last
}
