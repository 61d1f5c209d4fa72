import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.utils.Exit;

/** One run of a command-line tool on a thread of its own, with its own standard output, exit code and shutdown hooks. */
final class Tool extends Thread {
    interface Main {
        void run(String[] args) throws Exception;
    }

    /** Stands for the end of the process that the tool asked for. */
    private static final class Ended extends Error {
        Ended() {
            super(null, null, false, false);
        }
    }

    private static final long LIMIT_MS = 40_000;

    final String topic;
    volatile int code;
    private boolean hasEnded;
    private final Main main;
    private final List<String> args;
    private final String input;
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final List<Runnable> hooks = new CopyOnWriteArrayList<>();

    Tool(Main main, List<String> args, String input) {
        this(main, args, input, null);
    }

    Tool(Main main, List<String> args, String input, String topic) {
        this.main = main;
        this.args = args;
        this.input = input;
        this.topic = topic;
        setDaemon(true);
    }

    /** Standard output, exit and shutdown hooks go to the tool on whose thread they are used. */
    static void install() {
        PrintStream log = System.err;
        System.setOut(new PrintStream(new OutputStream() {
            @Override
            public void write(int b) {
                stream().write(b);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                stream().write(bytes, offset, length);
            }

            private PrintStream stream() {
                return Thread.currentThread() instanceof Tool tool ? new PrintStream(tool.output, true) : log;
            }
        }, true, StandardCharsets.UTF_8));
        Exit.setExitProcedure((code, message) -> {
            if (Thread.currentThread() instanceof Tool tool) {
                // Tools catch what ends them and then exit once more: the first code is theirs.
                tool.code = tool.hasEnded ? tool.code : code;
                tool.hasEnded = true;
            }
            throw new Ended();
        });
        Exit.setShutdownHookAdder((name, hook) -> {
            if (Thread.currentThread() instanceof Tool tool) {
                tool.hooks.add(hook);
            }
        });
    }

    @Override
    public void run() {
        try {
            main.run(args.toArray(String[]::new));
        } catch (Ended ended) {
            // The tool is done.
        } catch (Throwable thrown) {
            thrown.printStackTrace();
            code = hasEnded ? code : 1;
        }
    }

    /** Runs the tool as a command: to its end, then its shutdown hooks. */
    Tool runToEnd() {
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        start();
        await();
        hooks.forEach(Runnable::run);
        return this;
    }

    /** What Ctrl-C does to the tool: its shutdown hooks run while it works, and it ends. */
    void interruptTool() {
        hooks.forEach(Runnable::run);
        await();
    }

    String text() {
        return output.toString(StandardCharsets.UTF_8);
    }

    private void await() {
        try {
            join(LIMIT_MS);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        if (isAlive()) {
            throw new IllegalStateException("the tool did not end: " + args);
        }
    }
}
