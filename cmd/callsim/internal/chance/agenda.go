// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package chance

import (
	"container/heap"
	"time"
)

// Appointment is something a world will do at a moment.
type Appointment struct {
	At  time.Time
	seq int // of two appointments at one moment, the one made first is kept first
	Do  func()
}

// Agenda is the heap of appointments, earliest first.
type Agenda struct {
	list []Appointment
	made int
}

// Add makes an appointment.
func (a *Agenda) Add(at time.Time, do func()) {
	a.made++
	heap.Push(a, Appointment{At: at, seq: a.made, Do: do})
}

// Next takes out the earliest appointment of an agenda that is not empty.
func (a *Agenda) Next() Appointment { return heap.Pop(a).(Appointment) }

// When is the moment of the earliest appointment of an agenda that is not empty.
func (a *Agenda) When() time.Time { return a.list[0].At }

// Len implements heap.Interface.
func (a *Agenda) Len() int { return len(a.list) }

// Less implements heap.Interface.
func (a *Agenda) Less(i, j int) bool {
	x, y := a.list[i], a.list[j]
	if !x.At.Equal(y.At) {
		return x.At.Before(y.At)
	}
	return x.seq < y.seq
}

// Swap implements heap.Interface.
func (a *Agenda) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }

// Push implements heap.Interface.
func (a *Agenda) Push(x any) { a.list = append(a.list, x.(Appointment)) }

// Pop implements heap.Interface.
func (a *Agenda) Pop() any {
	last := a.list[len(a.list)-1]
	a.list[len(a.list)-1] = Appointment{} // lets go of the closure
	a.list = a.list[:len(a.list)-1]
	return last
}
