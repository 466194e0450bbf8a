// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Streams keep the draws of independent concerns apart: asking for restarts
// does not change who is invited.
const (
	streamStory uint64 = iota + 1
	streamRestarts
	streamClocks
	streamManners
)

// dice draws everything that is left to chance.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) dice {
	return dice{rand.New(rand.NewPCG(seed, stream))}
}

// between draws a whole number from bounds, both included.
func (d dice) between(bounds [2]int) int {
	return bounds[0] + d.IntN(bounds[1]-bounds[0]+1)
}

// seconds draws a duration of whole seconds from bounds, both included.
func (d dice) seconds(bounds [2]int) time.Duration {
	return time.Duration(d.between(bounds)) * time.Second
}

// share draws a part of whole between the fractions lo and hi, in whole seconds.
func (d dice) share(whole time.Duration, lo, hi float64) time.Duration {
	part := float64(whole) * (lo + (hi-lo)*d.Float64())
	return time.Duration(part).Truncate(time.Second)
}

func (d dice) chance(p float64) bool { return d.Float64() < p }

// guid draws an identifier in the lower-case text form of a random UUID.
func (d dice) guid() string {
	hi, lo := d.Uint64(), d.Uint64()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(0xc<<60) | 0x8<<60
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x",
		hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}

// pick draws one element of a list that is not empty.
func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// deck deals every card once in random order before it is shuffled again, so
// that a short story already shows everything.
type deck[T any] struct {
	cards []T
	left  []T
}

func (k *deck[T]) deal(d dice) T {
	if len(k.left) == 0 {
		k.left = append(k.left, k.cards...)
		d.Shuffle(len(k.left), func(i, j int) { k.left[i], k.left[j] = k.left[j], k.left[i] })
	}
	card := k.left[len(k.left)-1]
	k.left = k.left[:len(k.left)-1]
	return card
}
