// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package chance

import (
	"container/heap"
	"time"
)

// Appointment is something a world will do at a moment.
type Action struct {
	At  time.Time
	seq int // of two appointments at one moment, the one made first is kept first
	Do  func()
}

// Agenda is the heap of appointments, earliest first.
type Schedule struct {
	list []Action
	made int
}

// Add makes an appointment.
func (a *Schedule) Add(at time.Time, do func()) {
	a.made++
	heap.Push(a, Action{At: at, seq: a.made, Do: do})
}

// Next takes out the earliest appointment of an agenda that is not empty.
func (a *Schedule) Next() Action { return heap.Pop(a).(Action) }

// When is the moment of the earliest appointment of an agenda that is not empty.
func (a *Schedule) When() time.Time { return a.list[0].At }

// Len implements heap.Interface.
func (a *Schedule) Len() int { return len(a.list) }

// Less implements heap.Interface.
func (a *Schedule) Less(i, j int) bool {
	x, y := a.list[i], a.list[j]
	if !x.At.Equal(y.At) {
		return x.At.Before(y.At)
	}
	return x.seq < y.seq
}

// Swap implements heap.Interface.
func (a *Schedule) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }

// Push implements heap.Interface.
func (a *Schedule) Push(x any) { a.list = append(a.list, x.(Action)) }

// Pop implements heap.Interface.
func (a *Schedule) Pop() any {
	last := a.list[len(a.list)-1]
	a.list[len(a.list)-1] = Action{} // lets go of the closure
	a.list = a.list[:len(a.list)-1]
	return last
}
