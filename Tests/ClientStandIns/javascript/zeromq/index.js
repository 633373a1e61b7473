// What the JavaScript client uses of the package zeromq 6, under the same names, for machines that cannot have the
// original. Like it, it calls libzmq through an addon of Node's.
const { NativeSocket } = require("./addon.node");

const TYPES = { Dealer: 5, Subscriber: 2 };
const NUMBERS = { linger: 17, receiveTimeout: 27 };
const TEXTS = { curvePublicKey: 48, curveSecretKey: 49, curveServerKey: 50 };
const SUBSCRIBE = 6;

class Socket {
  constructor(type, options = {}) {
    this.native = new NativeSocket(type);
    for (const [name, value] of Object.entries(options)) {
      if (name in TEXTS) this.native.setText(TEXTS[name], value);
      else if (name in NUMBERS) this[name] = value;
      else throw new TypeError(`the stand-in for zeromq has no option ${name}`);
    }
  }

  set linger(milliseconds) {
    this.native.setNumber(NUMBERS.linger, milliseconds);
  }

  set receiveTimeout(milliseconds) {
    this.native.setNumber(NUMBERS.receiveTimeout, milliseconds);
  }

  connect(address) {
    this.native.connect(address);
  }

  async receive() {
    return this.native.receive();
  }

  close() {
    this.native.close();
  }
}

exports.Dealer = class Dealer extends Socket {
  constructor(options) {
    super(TYPES.Dealer, options);
  }

  async send(message) {
    this.native.send(Buffer.from(message));
  }
};

exports.Subscriber = class Subscriber extends Socket {
  constructor(options) {
    super(TYPES.Subscriber, options);
  }

  subscribe(...prefixes) {
    for (const prefix of prefixes) this.native.setText(SUBSCRIBE, prefix);
  }
};
