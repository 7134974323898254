/** What the softphone needs of a SIP library, so that its logic is tested without one; sip.ts has it from JsSIP. */

/** Why something did not come about: what a server answered (status 0: nobody did), and what the browser found. */
export interface Failure {
  status: number;
  phrase: string;
  cause: "answer" | "microphone" | "media" | "connection" | "timeout" | "other";
}

export interface Party {
  user: string;
  name: string;
}

export interface CallHandlers {
  /** The INVITE leaves: its Call-ID. */
  sent: (callId: string) => void;
  progress: () => void;
  established: () => void;
  /** No sound gets through, or again. */
  sound: (ok: boolean) => void;
  /** `failure` if it never came to a talk and nobody here ended it. */
  over: (by: "here" | "there", failure?: Failure) => void;
}

export interface EngineCall {
  answer: () => void;
  hangUp: () => void;
  mute: (on: boolean) => void;
  tone: (key: string) => void;
}

export interface EngineHandlers {
  connected: () => void;
  disconnected: () => void;
  registered: () => void;
  unregistered: () => void;
  /** The server does not let one in. */
  refused: (failure: Failure) => void;
  /** Somebody calls; without handlers they hear that one is busy. */
  incoming: (call: EngineCall, from: Party, callId: string) => CallHandlers | undefined;
}

export interface Engine {
  dial: (target: string, handlers: CallHandlers) => EngineCall;
  /** Ends calls, signs out, forgets the password. */
  stop: () => void;
}

export interface Account {
  user: string;
  password: string;
  domain: string;
}

export type MakeEngine = (account: Account, handlers: EngineHandlers) => Promise<Engine>;
