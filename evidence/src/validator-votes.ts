/**
 * Header votes on who seals, as the clients of all four rules tally them: one standing vote for each voter and candidate,
 * the newest counts, one that would change nothing only takes the voter's older one back, and more than half of the set
 * changes it from the next block on. Sources: GoQuorum `consensus/istanbul`, geth `consensus/clique`, Besu `VoteTally`.
 */
import type { EvmAddress } from '@drawbridge/protocol/ids';

export type StandingVote = Readonly<{ voter: EvmAddress; candidate: EvmAddress; add: boolean }>;

export type Tally = Readonly<{
  /** Ascending. */
  validators: readonly EvmAddress[];
  /** Ascending by candidate, then by voter. */
  votes: readonly StandingVote[];
}>;

const isBefore = (a: StandingVote, b: StandingVote): boolean =>
  a.candidate < b.candidate || (a.candidate === b.candidate && a.voter < b.voter);

function withVote(votes: readonly StandingVote[], vote: StandingVote): readonly StandingVote[] {
  const at = votes.findIndex((other) => isBefore(vote, other));
  return at < 0 ? [...votes, vote] : votes.toSpliced(at, 0, vote);
}

/**
 * The tally behind a vote whose voter is in the set. Changes at most one member: the candidate. Every standing vote on a
 * candidate asks for the same, which is what the candidate is not. O(votes).
 */
export function castVote({ validators, votes }: Tally, vote: StandingVote): Tally {
  const { voter, candidate, add } = vote;
  const isMember = validators.includes(candidate);
  const others = votes.filter((other) => other.candidate !== candidate || other.voter !== voter);
  const standing = isMember === add ? others : withVote(others, vote);
  const count = standing.filter((other) => other.candidate === candidate).length;
  if (count * 2 <= validators.length) return { validators, votes: standing };
  return {
    validators: isMember
      ? validators.filter((validator) => validator !== candidate)
      : [...validators, candidate].toSorted(),
    votes: standing.filter((other) => other.candidate !== candidate && (!isMember || other.voter !== candidate)),
  };
}
