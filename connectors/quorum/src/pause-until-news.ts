/** A pause that ends with the next announcement of a block, one that came since the pause was made included. */
import type { BlockNews } from './block-announcements.ts';

export type NewsPause = Readonly<{
  /** Resolves after `ms`, with news, by the signal, or at once where there were news already. */
  over: (ms: number, signal: AbortSignal) => Promise<void>;
  /** To be called in the end: nothing is listened to any more. */
  end: () => void;
}>;

export function pauseUntilNews(news: Pick<BlockNews, 'onBlock'>): NewsPause {
  let came = false;
  let wake: () => void = () => undefined;
  const unlisten = news.onBlock(() => {
    came = true;
    wake();
  });
  return {
    over: (ms, signal) =>
      new Promise((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', finish);
          resolve();
        };
        const timer = setTimeout(finish, ms);
        signal.addEventListener('abort', finish, { once: true });
        wake = finish;
        if (came || signal.aborted) finish();
      }),
    end: unlisten,
  };
}
